# t06_starttls_repeated: STARTTLS is neither offered nor taken once TLS is on (RFC 9051 6.2.1)
! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C: a1 STARTTLS
S: a1 OK Begin TLS negotiation now.
! tls client
C: a2 STARTTLS
S: a2 BAD TLS is active already.
C: a3 CAPABILITY
S: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN
S: a3 OK Capability completed.
