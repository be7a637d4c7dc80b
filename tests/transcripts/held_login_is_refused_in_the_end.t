! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
! place held
C: a1 LOGIN ann@both.example secret
! pass 29
! phase PLACE
! nolog held_too_long
! pass 1
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [3031323334353637]
! log event=held_too_long
! log guess=no
! phase COMMAND
! place freely
C: a2 LOGIN ann@both.example secret
! dial tls
