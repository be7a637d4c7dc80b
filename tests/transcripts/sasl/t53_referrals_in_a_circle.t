# t53_referrals_in_a_circle: a referral is followed inside the table only, and never shown to a client (RFC 2221)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 LOGIN gone@example.org secret
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE *
<: W3031321 NO [REFERRAL imap://other.example/] moved
! hangup
! dial other
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031322 AUTHENTICATE *
<: W3031322 NO [REFERRAL imap://third.example/] moved
! hangup
! dial third
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031323 AUTHENTICATE *
<: W3031323 NO [REFERRAL imap://other.example/] moved
! hangup
! dial other
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031324 AUTHENTICATE *
<: W3031324 NO [REFERRAL imap://third.example/] moved
! hangup
S: a1 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
! log once too often
