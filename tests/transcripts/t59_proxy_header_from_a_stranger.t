# t59_proxy_header_from_a_stranger: the PROXY header is what the listener says it is (proxy-protocol.txt 2)
! listener untrusted
! closed proxy_header
! log not in proxy_protocol.from
