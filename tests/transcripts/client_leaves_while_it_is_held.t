! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
! place held
C: a1 LOGIN ann@both.example secret
! phase PLACE
! client eof
! closed client_closed
