# t55_backend_with_login_disabled: a password is not sent where login is disabled (RFC 9051 6.2.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN bob secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
! log offers no login
