# t53_referral_out_of_the_table: a referral is followed inside the table only, and never shown to a client (RFC 2221)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 LOGIN gone@example.org secret
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE *
<: W3031321 NO [REFERRAL imap://evil.example/] moved
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
! log not in the table
