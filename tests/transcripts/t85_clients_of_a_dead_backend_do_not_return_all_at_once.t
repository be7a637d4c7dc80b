# t85_clients_of_a_dead_backend_do_not_return_all_at_once: an idle client learns of the end of its backend a little later
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 LOGIN alice secret
! dial tls
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
>: W3031321 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==
<: W3031321 OK [CAPABILITY IMAP4rev1 IDLE] hi
S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in.
C: a2 IDLE
>: a2 IDLE
<: + idling
S: + idling
! backend reset
! phase RELAY
! pass 10
S: * BYE Mail server connection was lost.
! closed backend_reset
