! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend verify
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
! phase COMMAND
