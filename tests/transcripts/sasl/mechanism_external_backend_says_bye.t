! certificate erin@example.org
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=EXTERNAL] mx.example.org ready.
C: a1 AUTHENTICATE EXTERNAL
S: + 
C: 
! dial master
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN ZXJpbkBleGFtcGxlLm9yZwBwcm94eQBtYXN0ZXJzZWNyZXQ=
<: * BYE going down
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
! phase COMMAND
