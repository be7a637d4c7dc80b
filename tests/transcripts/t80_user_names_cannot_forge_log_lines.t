# t80_user_names_cannot_forge_log_lines: text from outside cannot write log lines
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN "mal\x1b[31mlory" secret
S: a1 BAD Invalid user name.
! nolog \x1b
