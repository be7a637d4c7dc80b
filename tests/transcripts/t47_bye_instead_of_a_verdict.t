# t47_bye_instead_of_a_verdict: a tagged reply that never comes is made up (RFC 9051 7.1.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: * BYE going down
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
! phase COMMAND
