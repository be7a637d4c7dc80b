# t14_client_hello_on_the_starttls_port: another protocol gets no answer that it could use against a browser (ALPACA)
! listener imap
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C. \x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03
! closed not_imap
