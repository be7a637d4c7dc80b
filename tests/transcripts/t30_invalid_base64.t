# t30_invalid_base64: base64 is canonical or it is refused (RFC 4648 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE PLAIN
S: + 
C: AGFsaWNl AHNlY3JldA==
S: a1 BAD Invalid SASL response.
C: a2 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldB==
S: a2 BAD Invalid SASL response.
