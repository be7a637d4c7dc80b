# t62_no_mechanism_with_a_security_layer: a layer negotiated with the proxy would end at the proxy (RFC 9051 6.2.2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE DIGEST-MD5
S: a1 NO [CANNOT] Unsupported authentication mechanism.
C: a2 AUTHENTICATE SCRAM-SHA-256-PLUS
S: a2 NO [CANNOT] Unsupported authentication mechanism.
C: a3 AUTHENTICATE GS2-KRB5
S: a3 NO [CANNOT] Unsupported authentication mechanism.
