# t08_nothing_but_starttls_in_clear: a backend hears nothing but STARTTLS before TLS, and who the client is only afterwards
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN carol secret
! dial starttls
<: * OK [CAPABILITY IMAP4rev1 STARTTLS ID AUTH=PLAIN SASL-IR] ready
>: W3031321 STARTTLS
<: W3031321 OK go
! tls backend verify
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
