# t85_backend_that_speaks_is_trusted_again: a sign of life keeps the session
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
<: * 3 EXISTS
S: * 3 EXISTS
! pass 1799
! phase RELAY
