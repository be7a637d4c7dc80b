# t65_compress_would_hide_unauthenticate: nobody logs in as somebody else past the routing (RFC 8437 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 UNAUTHENTICATE COMPRESS=DEFLATE IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 COMPRESS DEFLATE
S: a2 BAD Command is not available here.
C: a3 CAPABILITY
>: a3 CAPABILITY
<: * CAPABILITY IMAP4rev1 COMPRESS=DEFLATE UNAUTHENTICATE IDLE
<: a3 OK done
S: * CAPABILITY IMAP4rev1 IDLE
S: a3 OK done
