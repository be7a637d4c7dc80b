! phase SECURE
! pass 15
! closed handshake_timeout
