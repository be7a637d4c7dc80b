# t21_literals_in_login: both forms of literals in LOGIN (RFC 9051 4.3, RFC 7888)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN {5}
S: + OK
C: alice {6}
S: + OK
C: secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 NO [AUTHENTICATIONFAILED] no
! hangup
! pass 2
S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
C: a2 LOGIN {5+}
C: alice {6+}
C: secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031322 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031322 OK [CAPABILITY IMAP4rev1] hi
S: a2 OK [CAPABILITY IMAP4rev1] Logged in.
