# t08_identity_is_told_under_tls_in_one_write: a backend hears nothing but STARTTLS before TLS, and who the client is only afterwards
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a0 ID ("name" "mutt" "x-originating-ip" "10.9.9.9")
S: * ID ("name" "Waypost")
S: a0 OK ID completed.
C: a1 LOGIN ida@example.org secret
! dial ident
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] ready
>: W3031321 ID ("name" "mutt" "x-session-id" "3031323334353637" "x-originating-ip" "192.0.2.7" "x-originating-port" "4711" "x-connected-ip" "198.51.100.1" "x-connected-port" "0" "x-proxy-ttl" "4" "x-client-transport" "TLS")
>: W3031322 AUTHENTICATE PLAIN AGlkYUBleGFtcGxlLm9yZwBzZWNyZXQ=
<: * ID ("name" "Dovecot")
<: W3031321 OK ID done
<: W3031322 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
