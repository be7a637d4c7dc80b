# t14_http_on_the_imap_port: another protocol gets no answer that it could use against a browser (ALPACA)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: GET / HTTP/1.1
! closed not_imap
