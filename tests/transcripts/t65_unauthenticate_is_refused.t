# t65_unauthenticate_is_refused: nobody logs in as somebody else past the routing (RFC 8437 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 UNAUTHENTICATE
S: a2 BAD Command is not available here.
C: a3 AUTHENTICATE PLAIN AGJvYgBodW50ZXIy
S: a3 BAD Command is not available here.
C: a4 STARTTLS
S: a4 BAD Command is not available here.
C: a5 NOOP
>: a5 NOOP
<: a5 OK done
S: a5 OK done
