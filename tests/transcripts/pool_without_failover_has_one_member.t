! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN ann@strict.example secret
! dial-fails tls
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
