# t23_line_end_in_a_literal: what would change meaning when it is sent on is refused, the rest is escaped (RFC 9051 4.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice {12+}
C: x\r\na2 LOGOUT
S: a1 BAD LOGIN takes a user name and a password.
C: a3 NOOP
S: a3 OK NOOP completed.
