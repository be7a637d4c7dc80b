! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C. a1 NOOP\n
S: a1 OK NOOP completed.
C. a2 NOOP\rx\r\n
S: a2 BAD Invalid characters in command.
