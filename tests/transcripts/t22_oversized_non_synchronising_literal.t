! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice {70+}
C: \N{5,a9 LOGOUT}\N{25,x}
S: a1 BAD [TOOBIG] Command is too long.
C: a2 NOOP
S: a2 OK NOOP completed.
