! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE GSSAPI
S: a1 NO [CANNOT] Unsupported authentication mechanism.
C: a2 AUTHENTICATE CRAM-MD5
S: a2 NO [CANNOT] Unsupported authentication mechanism.
