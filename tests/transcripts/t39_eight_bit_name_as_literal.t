# t39_eight_bit_name_as_literal: LOGIN is not extended to 8-bit names (RFC 6855 5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN dave secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1] ready
>: W3031321 LOGIN {5}
<: + go
>: d\xc3\xa4ve {6}
<: + go
>: secret
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
