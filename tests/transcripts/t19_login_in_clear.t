# t19_login_in_clear: credentials in clear are refused, the account is named, the secret is not (RFC 9051 6.2.3)
! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C: a1 LOGIN "alice@example.org" hunter2
S: * BAD [ALERT] Your password was sent over the network without protection: change it, and let your mail program use TLS.
S: a1 NO [PRIVACYREQUIRED] Plaintext authentication is not allowed without TLS.
! log event=credentials_in_clear
! log user=alice@example.org
! nolog hunter2
C: a2 AUTHENTICATE PLAIN AGJvYgBodW50ZXIy
S: * BAD [ALERT] Your password was sent over the network without protection: change it, and let your mail program use TLS.
S: a2 NO [PRIVACYREQUIRED] Plaintext authentication is not allowed without TLS.
! log user=bob
! nolog hunter2
C: a3 AUTHENTICATE PLAIN
S: a3 NO [PRIVACYREQUIRED] Plaintext authentication is not allowed without TLS.
S: * BYE Too many invalid commands.
! closed too_many_bad
