! certificate frank@example.org
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=EXTERNAL] mx.example.org ready.
C: a1 AUTHENTICATE EXTERNAL =
! dial star
! tls backend
<: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
>: W3031321 LOGIN "frank@example.org*proxy" mastersecret
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
