# t58_a_judged_password_is_tried_nowhere_else: a second backend would only lock the account sooner
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
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
