# t28_client_uses_our_own_tag: a client's tag may equal one of ours (RFC 9051 2.2.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: W3031321 LOGIN bob secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1] ready
>: W3031321 LOGIN bob@example.org secret
<: W9999 OK not ours
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: W3031321 OK [CAPABILITY IMAP4rev1] Logged in.
