# t44_logout_before_login: untagged BYE, then tagged OK, then the end (RFC 9051 6.1.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGOUT
S: * BYE Logging out.
S: a1 OK Logout completed.
! closed logout
