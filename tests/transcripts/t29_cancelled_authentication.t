# t29_cancelled_authentication: a client may cancel, which is no guess (RFC 9051 6.2.2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE PLAIN
S: + 
C: *
S: a1 BAD Authentication cancelled.
C: a2 AUTHENTICATE LOGIN
S: + VXNlcm5hbWU6
C: YWxpY2U=
S: + UGFzc3dvcmQ6
C: *
S: a2 BAD Authentication cancelled.
C: a3 AUTHENTICATE PLAIN
S: + 
C: *
S: a3 BAD Authentication cancelled.
C: a4 NOOP
S: a4 OK NOOP completed.
