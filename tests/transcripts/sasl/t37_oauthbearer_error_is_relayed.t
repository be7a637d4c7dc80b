# t37_oauthbearer_error_is_relayed: the error challenge of a token goes to the client, its dummy answer back (RFC 7628 3.2.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 AUTHENTICATE OAUTHBEARER
S: + 
C: bixhPWFsaWNlQGV4YW1wbGUub3JnLAFob3N0PW14LmV4YW1wbGUub3JnAXBvcnQ9OTkzAWF1dGg9QmVhcmVyIHRvay5lbgEB
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 AUTH=OAUTHBEARER] ready
>: W3031321 AUTHENTICATE OAUTHBEARER
<: + 
>: bixhPWFsaWNlQGV4YW1wbGUub3JnLAFob3N0PW14LmV4YW1wbGUub3JnAXBvcnQ9OTkzAWF1dGg9QmVhcmVyIHRvay5lbgEB
<: + eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
S: + eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJtYWlsIn0=
C: AQ==
>: AQ==
<: W3031321 NO token expired
! hangup
! pass 2
S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
