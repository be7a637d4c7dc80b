# t36_authzid_of_somebody_else: one identity is routed, and that one is logged in (RFC 4616 2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE PLAIN Ym9iAGFsaWNlAHNlY3JldA==
! pass 2
S: a1 NO [AUTHORIZATIONFAILED] Authorization failed.
C: a2 AUTHENTICATE PLAIN YWxpY2UAYWxpY2UAc2VjcmV0
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
