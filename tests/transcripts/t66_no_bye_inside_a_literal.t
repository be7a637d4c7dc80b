# t66_no_bye_inside_a_literal: a BYE inside a literal would corrupt a message (RFC 9051 4.3)
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
! backend eof
! closed backend_closed
! log bye=no
