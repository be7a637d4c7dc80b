# t26_bare_line_feed: a lenient LF is a line end, a bare CR is not (RFC 9051 2.2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C. a1 NOOP\n
S: a1 OK NOOP completed.
C. a2 NOOP\rx\r\n
S: a2 BAD Invalid characters in command.
