# t46_backend_greets_with_bye: a backend that greets with BYE is busy, not broken (RFC 9051 7.1.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * BYE too busy
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
C: a2 NOOP
S: a2 OK NOOP completed.
