# t07_starttls_inside_a_sasl_exchange: only a whole command line at command position is a command (RFC 9051 5.5)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: a1 AUTHENTICATE PLAIN
S: + 
C: a2 STARTTLS
S: a1 BAD Invalid SASL response.
C: a3 LOGIN {11}
S: + OK
C: a4 STARTTLS x
! phase REFUSE
