! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C! a1 STARTTLS\r\na2 LOGIN alice secret
S: a1 BAD Nothing may follow STARTTLS before the handshake.
! closed starttls_injection
