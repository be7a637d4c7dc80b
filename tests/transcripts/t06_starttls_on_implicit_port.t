# t06_starttls_on_implicit_port: STARTTLS is neither offered nor taken once TLS is on (RFC 9051 6.2.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 STARTTLS
S: a1 BAD TLS is active already.
