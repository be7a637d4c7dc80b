# t53_referral_to_a_backend_of_the_table: a referral is followed inside the table only, and never shown to a client (RFC 2221)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 LOGIN gone@example.org secret
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGdvbmVAZXhhbXBsZS5vcmcAc2VjcmV0
<: W3031321 NO [REFERRAL imap://new%40example.org;AUTH=*@other.example/] moved
! hangup
! dial other
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031322 AUTHENTICATE PLAIN AG5ld0BleGFtcGxlLm9yZwBzZWNyZXQ=
<: W3031322 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
! log event=referred
