/*
 * Small helpers over raw sockets: what libuv 1.44 does not offer. None of them blocks.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "waypost/base/addr.h"
#include "waypost/base/check.h"

/* Any family but IPv4 and IPv6 gives the unspecified address. */
struct addr socket_addr(const struct sockaddr_storage *from);
/* For connect(2); returns the length of what was filled in. */
socklen_t socket_name(const struct addr *from, struct sockaddr_storage *out);
/* The near and the far end of a connected socket; unspecified when the kernel does not know. */
struct addr socket_local(int fd);
struct addr socket_remote(int fd);

/* TCP_NODELAY, and keepalive probes after `keepalive` ms of silence (0: none). A peer that answers
 * nothing for twice that time is given up, with or without data on the way (RFC 5482). Refusals of
 * the kernel are ignored: a socket without these is worse, not broken. */
void socket_tune(int fd, uint64_t keepalive);

/* Begins to connect; on success *fd is a non-blocking socket that becomes writable when it is
 * there. `from` is an address of ours, or NULL for the kernel's choice; its port is chosen with the
 * far end in view, so that one address serves as many connections to each backend as there are
 * ports. On failure the result is an errno value and *fd is untouched; EADDRNOTAVAIL means that
 * another `from` may do. */
MUST_USE
int socket_connect(const struct addr *from, const struct addr *to, int *fd);

/* Whether a socket could connect from there: 0, or an errno value. */
MUST_USE
int socket_try_source(const struct addr *from);

/* Binds and listens with SO_REUSEPORT on a numeric address ("::" takes both families). On failure
 * the result is an errno value and *fd is untouched; EINVAL means that `host` is no address. */
MUST_USE
int socket_listen(const char *host, uint16_t port, int *fd);
