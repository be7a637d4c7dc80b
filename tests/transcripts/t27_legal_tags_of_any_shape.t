# t27_legal_tags_of_any_shape: every legal tag is taken, and no illegal one is echoed (RFC 9051 9)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN] mx.example.org ready.
C: #~]tag:1' NOOP
S: #~]tag:1' OK NOOP completed.
C: \N{100,t} NOOP
S: \N{100,t} OK NOOP completed.
C: +a NOOP
S: * BAD Invalid tag.
C: a(b NOOP
S: * BAD Invalid tag.
