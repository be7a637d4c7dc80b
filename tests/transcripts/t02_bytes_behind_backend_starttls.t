# t02_bytes_behind_backend_starttls: bytes behind a backend's answer to STARTTLS would be read as if TLS had protected them (RFC 9051 11.3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN carol secret
! dial starttls
<: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
>: W3031321 STARTTLS
<! W3031321 OK go\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] injected
! hangup
S: a1 NO [SERVERBUG] Mail server is not set up correctly. [*]
! phase COMMAND
! log bytes follow the answer to STARTTLS in clear
