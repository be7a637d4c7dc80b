# t36_certificate_of_somebody_else: one identity is routed, and that one is logged in (RFC 4616 2)
! certificate erin@example.org
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=EXTERNAL] mx.example.org ready.
C: a1 AUTHENTICATE EXTERNAL ZnJhbmtAZXhhbXBsZS5vcmc=
! pass 2
S: a1 NO [AUTHORIZATIONFAILED] Authorization failed.
! phase COMMAND
