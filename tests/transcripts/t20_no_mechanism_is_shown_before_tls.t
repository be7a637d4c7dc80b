# t20_no_mechanism_is_shown_before_tls: an AUTH= in clear invites the password in clear (RFC 9051 6.1.1)
! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C: a1 CAPABILITY
S: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED
S: a1 OK Capability completed.
C: a2 STARTTLS
S: a2 OK Begin TLS negotiation now.
! tls client
C: a3 CAPABILITY
S: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN
S: a3 OK Capability completed.
