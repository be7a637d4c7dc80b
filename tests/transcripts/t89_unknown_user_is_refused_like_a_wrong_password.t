# t89_unknown_user_is_refused_like_a_wrong_password: an unknown user is refused like a wrong password, in text and in time (RFC 9051 11.7)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice wrong
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE *
! pass 3
<: W3031321 NO [AUTHENTICATIONFAILED] no
! hangup
! pass 2
S: a1 NO [AUTHENTICATIONFAILED] Authentication failed.
C: a2 LOGIN mallory wrong
! pass 6
! phase REFUSE
! pass 1
S: a2 NO [AUTHENTICATIONFAILED] Authentication failed.
