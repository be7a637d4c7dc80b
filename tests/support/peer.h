/*
 * The far end of a connection in a test: a socket, with TLS or without, that says things and waits
 * for things to be said, while something else (a loop of the same thread) is turned.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#define PEER_PATIENCE_MS 10000u
#define PEER_HEARD       262144u

struct peer {
    int fd;   /* owned; -1 closed */
    SSL *ssl; /* owned; NULL in clear */
    void (*turn)(void *ctx);
    void *ctx;
    bool ended; /* the far end closed */
    bool reset; /* or the connection broke */
    size_t len;
    char heard[PEER_HEARD]; /* not yet expected */
};

/* Takes a connected non-blocking socket. `turn` is called while waiting. */
void peer_open(struct peer *peer, int fd, void (*turn)(void *ctx), void *ctx);
/* Handshakes as a client; false when that fails. */
bool peer_secure(struct peer *peer, SSL_CTX *ctx, const char *name);
/* Says all of it. Aborts if nobody listens. */
void peer_say(struct peer *peer, const char *text);
/* Sends what goes at once, from a zeroed block. */
size_t peer_pour(struct peer *peer, size_t len);
/* Waits until `text` was said and forgets everything up to its end. False, with what was said
 * instead on standard error, when time is up or the connection ended without it. */
bool peer_hears(struct peer *peer, const char *text);
/* Waits for one whole line and takes it, without its end. */
bool peer_hears_line(struct peer *peer, char *line, size_t size);
/* Waits for the end of the connection; what was said before stays in `heard`. */
bool peer_hears_end(struct peer *peer);
/* Reads and forgets what is there; the number of bytes. */
size_t peer_swallow(struct peer *peer);
/* Says close_notify and closes. */
void peer_close(struct peer *peer);
/* Closes as a program that was killed: no close_notify. */
void peer_die(struct peer *peer);
