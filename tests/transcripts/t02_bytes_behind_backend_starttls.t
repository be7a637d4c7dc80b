! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN carol secret
! dial starttls
<: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
>: W3031321 STARTTLS
<! W3031321 OK go\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] injected
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
! phase COMMAND
! log bytes follow the answer to STARTTLS in clear
