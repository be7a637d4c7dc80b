# t48_no_alert_from_a_backend_in_clear: alerts reach the user, but only from a backend that TLS vouches for (RFC 9051 7.1)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN bob secret
! dial clear
<: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
>: W3031321 LOGIN bob@example.org secret
<: * OK [ALERT] Visit http://evil.example
<: W3031321 OK [CAPABILITY IMAP4rev1] hi
S: a1 OK [CAPABILITY IMAP4rev1] Logged in.
