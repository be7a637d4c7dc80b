! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 AUTHENTICATE SCRAM-SHA-256 biwsbj1kYXZlQGV4YW1wbGUub3JnLHI9YWJj
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] ready
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
! log the route changes the user name
