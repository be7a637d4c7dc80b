# t53_referral_to_an_address_in_brackets: the URL of a referral may hold brackets, although no other code does (RFC 2221, RFC 3986)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN bob secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGJvYkBleGFtcGxlLm9yZwBzZWNyZXQ=
<: W3031321 NO [REFERRAL imap://bob@[0:0::1]:20145/] go [there]
! hangup
! dial six
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031322 AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ=
<: W3031322 OK [CAPABILITY IMAP4rev1] Logged in
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
