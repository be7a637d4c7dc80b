! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
! place fails
C: a1 LOGIN ann@both.example secret
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [3031323334353637]
! log guess=no detail="the script says so"
! phase COMMAND
