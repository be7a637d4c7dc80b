! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 COMPRESS DEFLATE
>: a2 COMPRESS DEFLATE
C. \x01\x02\r\n
<: a2 OK DEFLATE active
S: a2 OK DEFLATE active
>. \x01\x02\r\n
<. \xff\x00* CAPABILITY UNAUTHENTICATE\r\n
S. \xff\x00* CAPABILITY UNAUTHENTICATE\r\n
! backend eof
! closed backend_closed
! log bye=no
