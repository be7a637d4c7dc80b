# t33_backend_without_sasl_ir: an initial response goes only to a backend that offers SASL-IR (RFC 4959 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice "se cret"
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED] ready
>: W3031321 AUTHENTICATE PLAIN
<: +
>: AGFsaWNlQGV4YW1wbGUub3JnAHNlIGNyZXQ=
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
