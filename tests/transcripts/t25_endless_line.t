# t25_endless_line: a line has a limit, and so has what is thrown away
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 NOOP \N{600,x}
S: a1 BAD [TOOBIG] Command is too long.
C: a2 NOOP
S: a2 OK NOOP completed.
C. a3 \N{3000,x}
! phase COMMAND
