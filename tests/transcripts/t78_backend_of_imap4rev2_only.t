# t78_backend_of_imap4rev2_only: a backend of IMAP4rev2 alone is a backend (RFC 9051 A)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev2 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE *
<: W3031321 OK [CAPABILITY IMAP4rev2] hi
S: a1 OK [CAPABILITY IMAP4rev2] Logged in.
