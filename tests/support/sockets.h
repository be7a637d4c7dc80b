/*
 * Real sockets on loopback for tests. Any failure ends the test program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connected pair of non-blocking TCP sockets. */
void tcp_pair(int fds[2]);
/* A listening socket on 127.0.0.1, its port in *port. */
int tcp_listen(int backlog, uint16_t *port);
/* One on another address of 127.0.0.0/8 and a given port. */
int tcp_listen_at(const char *address, uint16_t port);
/* A port on 127.0.0.1 where nobody listens, and nobody will while the returned socket is open. */
int tcp_refusing(uint16_t *port);
/* A port on 127.0.0.1 that others may bind with SO_REUSEPORT, and nobody without. */
int tcp_reserve(uint16_t *port);
/* A non-blocking socket that is being connected to 127.0.0.1:port. */
int tcp_connect(uint16_t port);
/* Small kernel buffers, so that a peer that does not read is noticed soon. */
void tcp_shrink(int fd);
/* Closes with a reset instead of an orderly end. */
void tcp_reset(int fd);
/* Sends all of it; the socket must have room. */
void send_all(int fd, const void *bytes, size_t len);
/* Bytes read without waiting: 0 at the end of the stream, -1 when there are none, -2 after a
 * reset. */
long receive_some(int fd, void *bytes, size_t size);
/* Open descriptors of this process. */
size_t open_descriptors(void);
