# t41_id_enable_and_unknown_before_login: what clients send before login out of habit is harmless (RFC 2971, RFC 5161 3.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 ID ("name" "mutt" "version" NIL)
S: * ID ("name" "Waypost")
S: a1 OK ID completed.
C: a2 ID NIL
S: * ID ("name" "Waypost")
S: a2 OK ID completed.
C: a3 ENABLE CONDSTORE
S: * ENABLED
S: a3 OK Nothing enabled before login.
C: a4 ID (broken
S: a4 BAD ID takes NIL or a list of field and value pairs.
C: a5 SELECT INBOX
S: a5 BAD Unknown command.
C: a6 FETCH 1 BODY[]
S: a6 BAD Unknown command.
S: * BYE Too many invalid commands.
! closed too_many_bad
