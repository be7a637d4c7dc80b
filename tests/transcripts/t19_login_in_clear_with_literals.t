# t19_login_in_clear_with_literals: credentials in clear are refused, the account is named, the secret is not (RFC 9051 6.2.3)
! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C: a1 LOGIN alice {7}
S: a1 NO [PRIVACYREQUIRED] Plaintext authentication is not allowed without TLS.
! log password_seen=no
C: a2 LOGIN alice {7+}
C: hunter2
S: * BAD [ALERT] Your password was sent over the network without protection: change it, and let your mail program use TLS.
S: a2 NO [PRIVACYREQUIRED] Plaintext authentication is not allowed without TLS.
! log password_seen=yes
! nolog hunter2
C: a3 NOOP
S: a3 OK NOOP completed.
