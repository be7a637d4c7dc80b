# t56_id_answered_bad_and_late: ID goes only to who offers it, and its answer never matters (RFC 2971 3.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 LOGIN ida@example.org secret
! dial ident
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] ready
>: W3031321 ID *
>: W3031322 AUTHENTICATE PLAIN AGlkYUBleGFtcGxlLm9yZwBzZWNyZXQ=
<: W3031322 OK [CAPABILITY IMAP4rev1 IDLE] hi
! phase LOGIN
<: W3031321 BAD what is ID
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
