# t37_cancel_does_not_hide_a_refused_token: the error challenge of a token goes to the client, its dummy answer back (RFC 7628 3.2.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 AUTHENTICATE XOAUTH2 dXNlcj1hbGljZUBleGFtcGxlLm9yZwFhdXRoPUJlYXJlciB0b2suZW4BAQ==
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
>: W3031321 AUTHENTICATE XOAUTH2 dXNlcj1hbGljZUBleGFtcGxlLm9yZwFhdXRoPUJlYXJlciB0b2suZW4BAQ==
<: + eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
S: + eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
C: *
>: *
<: W3031321 BAD cancelled
! hangup
! phase REFUSE
! log event=login_refused
! log why=cancelled guess=yes
! pass 2
S: a1 BAD Authentication cancelled.
