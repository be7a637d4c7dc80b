! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial-fails tls
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
C: a2 LOGIN bob secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
>: W3031321 LOGIN bob@example.org secret
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a2 OK [CAPABILITY IMAP4rev1] Logged in.
