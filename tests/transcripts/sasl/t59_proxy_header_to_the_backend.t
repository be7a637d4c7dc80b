# t59_proxy_header_to_the_backend: the PROXY header is what the listener says it is (proxy-protocol.txt 2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 LOGIN victor@example.org secret
! dial v1
>: PROXY TCP4 192.0.2.7 198.51.100.1 4711 0
<: * OK [CAPABILITY IMAP4rev1 LITERAL+] ready
>: W3031321 LOGIN victor@example.org secret
