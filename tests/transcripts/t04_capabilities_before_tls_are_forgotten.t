# t04_capabilities_before_tls_are_forgotten: what was said before TLS is forgotten on both legs (RFC 9051 6.2.1)
! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C: a1 CAPABILITY
S: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED
S: a1 OK Capability completed.
C: a2 STARTTLS
S: a2 OK Begin TLS negotiation now.
! phase UPGRADE
! tls client
C: a3 LOGIN carol secret
! dial starttls
<: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready
>: W3031321 STARTTLS
<: W3031321 OK go
! tls backend
>: W3031322 CAPABILITY
<: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN
<: W3031322 OK done
>: W3031323 AUTHENTICATE PLAIN AGNhcm9sQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031323 OK [CAPABILITY IMAP4rev1 IDLE X-HIDDEN] hi
S: a3 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
