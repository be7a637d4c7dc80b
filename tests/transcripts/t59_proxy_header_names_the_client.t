# t59_proxy_header_names_the_client: the PROXY header is what the listener says it is (proxy-protocol.txt 2)
! listener proxied
C: PROXY TCP4 203.0.113.9 198.51.100.1 40000 993
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGOUT
S: * BYE Logging out.
S: a1 OK Logout completed.
! closed logout
! log client=203.0.113.9:40000
