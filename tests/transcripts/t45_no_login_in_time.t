! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
! pass 60
S: * BYE Autologout; no login in time.
! closed login_timeout
