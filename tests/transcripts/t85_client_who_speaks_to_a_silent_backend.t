# t85_client_who_speaks_to_a_silent_backend: being busy does not put off what a dead backend means
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
! doubt
C: a2 NOOP
>: a2 NOOP
! phase RELAY
! pass 10
S: * BYE Mail server connection was lost.
! closed backend_lost
