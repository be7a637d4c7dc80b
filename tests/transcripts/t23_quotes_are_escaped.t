# t23_quotes_are_escaped: what would change meaning when it is sent on is refused, the rest is escaped (RFC 9051 4.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN bob "se\\"cr\\\\et"
! dial clear
<: * OK [CAPABILITY IMAP4rev1] ready
>: W3031321 LOGIN bob@example.org "se\\"cr\\\\et"
