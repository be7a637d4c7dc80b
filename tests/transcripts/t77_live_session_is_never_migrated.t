# t77_live_session_is_never_migrated: state lives in the connection, so a session is never moved behind a client's back (RFC 7162)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 ENABLE QRESYNC
>: a2 ENABLE QRESYNC
<: * ENABLED QRESYNC
<: a2 OK done
S: * ENABLED QRESYNC
S: a2 OK done
! backend eof
! phase RELAY
! pass 10
S: * BYE Mail server closed the connection.
! closed backend_closed
