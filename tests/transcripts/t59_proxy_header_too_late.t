! listener proxied
C. PROXY TCP4 203.0
! pass 3
! closed proxy_header
! log no header in time
