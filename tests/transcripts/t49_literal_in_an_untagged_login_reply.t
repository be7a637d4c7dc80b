# t49_literal_in_an_untagged_login_reply: literals are framed even in what is thrown away (RFC 9051 4.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: * ID ("name" {23}
<: W3031321 NO not a reply)
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
