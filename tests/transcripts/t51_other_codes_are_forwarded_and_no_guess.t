# t51_other_codes_are_forwarded_and_no_guess: only a wrong password is a guess (RFC 5530 3)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 NO [LIMIT] Too many connections for you
! hangup
S: a1 NO [LIMIT] Too many connections for you
! log guess=no
C: a2 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031322 AUTHENTICATE *
<: W3031322 NO [UNAVAILABLE] later
! hangup
S: a2 NO [UNAVAILABLE] Mail server is not available, try again later. [*]
C: a3 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031323 AUTHENTICATE *
<: W3031323 NO [SERVERBUG] oops
! hangup
S: a3 NO [SERVERBUG] Mail server is not set up correctly. [*]
C: a4 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031324 AUTHENTICATE *
<: W3031324 NO [EXPIRED] Choose a new password
! hangup
S: a4 NO [EXPIRED] Choose a new password
