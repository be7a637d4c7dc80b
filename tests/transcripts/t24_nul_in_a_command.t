# t24_nul_in_a_command: NUL is never legal in a command (RFC 9051 9)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN al\x00ice secret
S: a1 BAD Invalid characters in command.
C: a2 LOGIN {3+}
C: a\x00b secret
S: a2 BAD Invalid characters in command.
C: a3 NOOP
S: a3 OK NOOP completed.
