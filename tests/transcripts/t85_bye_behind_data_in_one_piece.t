# t85_bye_behind_data_in_one_piece: what stands before the BYE is not held back
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
<. * 3 EXISTS\r\n* BYE Server shutting down.\r\n
S: * 3 EXISTS
! pass 10
S: * BYE Server shutting down.
! phase RELAY
! backend eof
! closed backend_closed
