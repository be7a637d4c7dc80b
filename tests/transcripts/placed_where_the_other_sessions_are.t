! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
! place starttls
C: a1 LOGIN ann@both.example secret
! dial-fails starttls
! hangup
! dial-fails starttls
! place clear
! hangup
! dial clear
<: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
>: W3031321 LOGIN ann@both.example secret
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
