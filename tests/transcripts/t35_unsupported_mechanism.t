# t35_unsupported_mechanism: a mechanism that is not there is NO, not BAD (RFC 9051 6.2.2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE GSSAPI
S: a1 NO [CANNOT] Unsupported authentication mechanism.
C: a2 AUTHENTICATE CRAM-MD5
S: a2 NO [CANNOT] Unsupported authentication mechanism.
