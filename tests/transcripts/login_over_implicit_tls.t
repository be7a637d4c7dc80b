! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W303132*1 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
! phase LOGIN
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN STARTTLS UNAUTHENTICATE] Welcome
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
! phase RELAY
! log event=login
! nolog secret
C: a2 SELECT INBOX
>: a2 SELECT INBOX
<: * 3 EXISTS
<: a2 OK [READ-WRITE] done
S: * 3 EXISTS
S: a2 OK [READ-WRITE] done
C: a3 LOGOUT
>: a3 LOGOUT
<: * BYE bye
<: a3 OK done
S: * BYE bye
S: a3 OK done
! backend eof
! closed logout
