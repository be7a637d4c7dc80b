# t05_preauth_greeting: a PREAUTH greeting is somebody else's session (RFC 9051 7.1.4)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * PREAUTH [CAPABILITY IMAP4rev1] somebody is logged in
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
! phase COMMAND
! log greeting is PREAUTH
