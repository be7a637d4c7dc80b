! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
! place starttls
C: a1 LOGIN ann@both.example secret
! dial-fails starttls
! pass 31
! hangup
! dial-fails starttls
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [3031323334353637]
