# t39_eight_bit_name_as_literal_plus: LOGIN is not extended to 8-bit names (RFC 6855 5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN dave secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
>: W3031321 LOGIN {5+}
>: d\xc3\xa4ve {6+}
>: secret
