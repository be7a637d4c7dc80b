! certificate alice@example.org
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=EXTERNAL] mx.example.org ready.
C: a1 AUTHENTICATE EXTERNAL =
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
