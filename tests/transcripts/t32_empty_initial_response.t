# t32_empty_initial_response: `=` is an initial response that is there and empty (RFC 4959 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE PLAIN =
S: a1 BAD Invalid SASL response.
C: a2 AUTHENTICATE PLAIN
S: + 
C: AGFsaWNlAHNlY3JldA==
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
