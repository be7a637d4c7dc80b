# t59_proxy_header_missing: the PROXY header is what the listener says it is (proxy-protocol.txt 2)
! listener proxied
C. \x16\x03\x01\x02\x00\x01
! closed proxy_header
! log event=proxy_header
