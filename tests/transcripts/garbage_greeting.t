! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: 220 smtp.example ESMTP
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
