# t50_bad_is_not_a_wrong_password: BAD is about our syntax, not about the password (RFC 9051 7.1.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 BAD syntax
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
! log guess=no
