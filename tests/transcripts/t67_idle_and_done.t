# t67_idle_and_done: DONE has no tag (RFC 2177 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 IDLE
>: a2 IDLE
<: + idling
S: + idling
<: * 4 EXISTS
S: * 4 EXISTS
C: DONE
>: DONE
<: a2 OK done
S: a2 OK done
C: DONE UNAUTHENTICATE
S: DONE BAD Command is not available here.
