# t48_alert_before_the_verdict: alerts reach the user, but only from a backend that TLS vouches for (RFC 9051 7.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: * OK [ALERT] Maintenance tonight
<: * NO [ALERT] Quota is nearly used up
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: * OK [ALERT] Maintenance tonight
S: * NO [ALERT] Quota is nearly used up
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
