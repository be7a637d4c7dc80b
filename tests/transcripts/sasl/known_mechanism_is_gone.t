! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
! knows IMAP4rev1 SASL-IR AUTH=PLAIN
C: a1 LOGIN alice@example.org secret
! dial same
! tls backend
<: * OK ready
>: W3031321 CAPABILITY
>: W3031322 AUTHENTICATE PLAIN *
<: * CAPABILITY IMAP4rev1
<: W3031321 OK done
<: W3031322 NO [CANNOT] no such mechanism
! hangup
! dial same
! tls backend
<: * OK ready
>: W3031323 CAPABILITY
>: W3031324 LOGIN alice@example.org secret
<: * CAPABILITY IMAP4rev1
<: W3031323 OK done
<: W3031324 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
