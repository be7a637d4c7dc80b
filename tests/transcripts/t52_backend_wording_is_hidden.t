# t52_backend_wording_is_hidden: a backend's wording could tell who exists (RFC 9051 11.7)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 NO User alice is unknown here
! hangup
! pass 1
! phase REFUSE
! pass 1
S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
C: a2 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031322 AUTHENTICATE *
<: W3031322 NO [AUTHENTICATIONFAILED] Password mismatch
! hangup
! pass 3
! phase REFUSE
! pass 1
S: a2 NO [AUTHENTICATIONFAILED] Authentication failed.
C: a3 LOGIN mallory secret
! pass 8
S: a3 NO [AUTHENTICATIONFAILED] Authentication failed.
S: * BYE Too many failed logins.
! closed too_many_failures
