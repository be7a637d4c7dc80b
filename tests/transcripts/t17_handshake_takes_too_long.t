# t17_handshake_takes_too_long: a handshake that does not end holds a slot (RFC 9051 5.4)
! phase SECURE
! pass 15
! closed handshake_timeout
