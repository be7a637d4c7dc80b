# t38_user_nowhere: the message may leave the user to the token (RFC 7628 3.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 AUTHENTICATE OAUTHBEARER biwsAWF1dGg9QmVhcmVyIG9wYXF1ZQEB
! pass 2
S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
