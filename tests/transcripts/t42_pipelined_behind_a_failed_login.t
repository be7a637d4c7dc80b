# t42_pipelined_behind_a_failed_login: what is pipelined behind a login waits for it, in order (RFC 9051 5.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
C: a2 NOOP
C: a3 LOGOUT
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 NO [AUTHENTICATIONFAILED] no
! hangup
! pass 2
S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
S: a2 OK NOOP completed.
S: * BYE Logging out.
S: a3 OK Logout completed.
! closed logout
