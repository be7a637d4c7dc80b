# t75_data_behind_the_login_ok: what came with the login's OK is the client's (RFC 9051 5.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
<: * OK [ALERT] You have new mail
<. * 1 EX
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
S: * OK [ALERT] You have new mail
S. * 1 EX
