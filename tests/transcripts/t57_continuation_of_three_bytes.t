# t57_continuation_of_three_bytes: a `+` is a line like any other, however it arrives (RFC 9051 2.2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN dave secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN
<. +\r\n
>: AGTDpHZlAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
