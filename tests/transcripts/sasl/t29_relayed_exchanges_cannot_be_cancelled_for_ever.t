# t29_relayed_exchanges_cannot_be_cancelled_for_ever: a client may cancel, which is no guess (RFC 9051 6.2.2)
! tls client
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256] mx.example.org ready.
C: a1 AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZUBleGFtcGxlLm9yZyxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] ready
>: W3031321 AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZUBleGFtcGxlLm9yZyxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP
<: + cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYSxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=
S: + cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYSxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=
C: *
>: *
<: W3031321 BAD cancelled
! hangup
S: a1 BAD Authentication cancelled.
C: a2 AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZUBleGFtcGxlLm9yZyxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] ready
>: W3031322 AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZUBleGFtcGxlLm9yZyxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP
<: + cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYSxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=
S: + cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYSxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=
C: *
>: *
<: W3031322 BAD cancelled
! hangup
S: a2 BAD Authentication cancelled.
C: a3 AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZUBleGFtcGxlLm9yZyxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP
! dial same
! tls backend
<: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] ready
>: W3031323 AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZUBleGFtcGxlLm9yZyxyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP
<: + cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYSxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=
S: + cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYSxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=
C: *
>: *
<: W3031323 BAD cancelled
! hangup
S: a3 BAD Authentication cancelled.
S: * BYE Too many invalid commands.
! closed too_many_bad
