! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 AUTHENTICATE XOAUTH2
S: + 
C: dXNlcj1hbGljZUBleGFtcGxlLm9yZwFhdXRoPUJlYXJlciB0b2suZW4BAQ==
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
>: W3031321 AUTHENTICATE XOAUTH2 dXNlcj1hbGljZUBleGFtcGxlLm9yZwFhdXRoPUJlYXJlciB0b2suZW4BAQ==
<: * BYE going down
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
! phase COMMAND
