# t01_starttls_injection: what is pipelined behind STARTTLS arrived in clear and is never carried out (RFC 9051 6.2.1)
! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C! a1 STARTTLS\r\na2 LOGIN alice secret
S: a1 BAD Nothing may follow STARTTLS before the handshake.
! closed starttls_injection
