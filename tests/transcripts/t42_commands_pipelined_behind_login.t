# t42_commands_pipelined_behind_login: what is pipelined behind a login waits for it, in order (RFC 9051 5.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
C: a2 ENABLE CONDSTORE
C: a3 SELECT INBOX
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
>: a2 ENABLE CONDSTORE
>: a3 SELECT INBOX
