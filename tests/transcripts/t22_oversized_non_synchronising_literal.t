# t22_oversized_non_synchronising_literal: the bytes of a literal that is too big are swallowed, never parsed (RFC 7888 4)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice {70+}
C: \N{5,a9 LOGOUT}\N{25,x}
S: a1 BAD [TOOBIG] Command is too long.
C: a2 NOOP
S: a2 OK NOOP completed.
