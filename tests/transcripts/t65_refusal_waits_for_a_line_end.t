# t65_refusal_waits_for_a_line_end: nobody logs in as somebody else past the routing (RFC 8437 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 FETCH 1 BODY[]
>: a2 FETCH 1 BODY[]
<. * 1 FETCH (BODY[] {4}\r\nab
S. * 1 FETCH (BODY[] {4}\r\nab
C: a3 UNAUTHENTICATE
<. cd)\r\n
S: cd)
S: a3 BAD Command is not available here.
