# t03_backend_starttls_stripped: a STARTTLS that somebody stripped is a failure, never a reason to go on in clear (RFC 8314 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN carol secret
! dial starttls
<: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] no starttls here
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
C: a2 LOGIN carol secret
! dial starttls
<: * OK ready
>: W3031321 STARTTLS
<: W3031321 BAD what
! hangup
S: a2 NO [SERVERBUG] Mail server is not set up correctly. [*]
! log STARTTLS was refused
