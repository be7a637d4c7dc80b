# t68_idle_session_ends_with_bye: an idle session lasts its half hour and is told at the end (RFC 9051 5.4)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
! pass 1799
C: a2 NOOP
>: a2 NOOP
! pass 2099
! phase RELAY
! pass 1
S: * BYE Autologout; idle for too long.
! closed idle_timeout
