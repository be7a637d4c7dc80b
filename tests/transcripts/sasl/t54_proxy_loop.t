# t54_proxy_loop: a proxy in front of itself stops
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a0 ID ("x-proxy-ttl" "1")
S: * ID ("name" "Waypost")
S: a0 OK ID completed.
C: a1 LOGIN ida@example.org secret
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
! log event=proxy_loop
