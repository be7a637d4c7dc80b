# t71_half_close_waits_for_answers: a client that has said all waits for answers, but not for ever
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 NOOP
C: a3 LOGOUT
>: a2 NOOP
>: a3 LOGOUT
! client eof
! phase RELAY
<: a2 OK done
<: * BYE bye
<: a3 OK done
S: a2 OK done
S: * BYE bye
S: a3 OK done
! closed client_closed
