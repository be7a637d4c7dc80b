# t59_proxy_header_not_required: the PROXY header is what the listener says it is (proxy-protocol.txt 2)
! listener maybe
! phase SECURE
! pass 3
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE STARTTLS LOGINDISABLED] mx.example.org ready.
C: a1 LOGOUT
S: * BYE Logging out.
S: a1 OK Logout completed.
! closed logout
