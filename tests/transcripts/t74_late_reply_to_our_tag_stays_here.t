# t74_late_reply_to_our_tag_stays_here: answers to our own commands stay here (RFC 9051 5.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 CAPABILITY
S: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN
S: a1 OK Capability completed.
C: a2 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK hi
>: W3031322 CAPABILITY
<: * CAPABILITY IMAP4rev1 IDLE
! phase LOGIN
<: W3031322 OK done
S: * CAPABILITY IMAP4rev1 IDLE
S: a2 OK Logged in.
