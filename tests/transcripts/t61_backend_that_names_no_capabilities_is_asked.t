# t61_backend_that_names_no_capabilities_is_asked: one truth about capabilities, in the form that this client believes (RFC 9051 7.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK hi
>: W3031322 CAPABILITY
<: * CAPABILITY IMAP4rev1 IDLE STARTTLS
<: W3031322 OK done
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
