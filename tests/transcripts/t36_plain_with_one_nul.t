# t36_plain_with_one_nul: one identity is routed, and that one is logged in (RFC 4616 2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE PLAIN AGFsaWNlc2VjcmV0
S: a1 BAD Invalid SASL response.
