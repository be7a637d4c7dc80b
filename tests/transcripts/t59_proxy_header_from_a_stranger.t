! listener untrusted
! closed proxy_header
! log not in proxy_protocol.from
