# t45_no_login_in_time: whoever is cut off is told why (RFC 9051 5.4)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
! pass 60
S: * BYE Autologout; no login in time.
! closed login_timeout
