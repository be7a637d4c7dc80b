# t58_a_judged_password_is_tried_nowhere_else: not even when the pool could fail over
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN ann@both.example secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE *
<: W3031321 NO [AUTHENTICATIONFAILED] no
! hangup
! phase REFUSE
! pass 2
S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
! phase COMMAND
