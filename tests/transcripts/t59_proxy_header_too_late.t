# t59_proxy_header_too_late: the PROXY header is what the listener says it is (proxy-protocol.txt 2)
! listener proxied
C. PROXY TCP4 203.0
! pass 3
! closed proxy_header
! log no header in time
