# t39_eight_bit_name_prefers_plain: LOGIN is not extended to 8-bit names (RFC 6855 5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN dave secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN
<: + 
>: AGTDpHZlAHNlY3JldA==
