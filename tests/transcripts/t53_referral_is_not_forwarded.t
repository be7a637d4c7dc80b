# t53_referral_is_not_forwarded: a referral is followed inside the table only, and never shown to a client (RFC 2221)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 NO [REFERRAL imap://evil.example/] go there
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
