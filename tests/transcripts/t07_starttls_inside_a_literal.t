# t07_starttls_inside_a_literal: only a whole command line at command position is a command (RFC 9051 5.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a3 LOGIN {11}
S: + OK
C. a4 STARTTLS secret\r\n
! phase REFUSE
