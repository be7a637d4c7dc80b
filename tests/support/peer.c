/*
 * One end of a test dialogue. Owns socket and SSL; never blocks, never waits without turning.
 */
#include "support/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

static unsigned long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

void peer_open(struct peer *peer, int fd, void (*turn)(void *ctx), void *ctx)
{
    memset(peer, 0, sizeof(*peer));
    peer->fd = fd;
    peer->turn = turn;
    peer->ctx = ctx;
}

static void turn(struct peer *peer)
{
    peer->turn(peer->ctx);
}

bool peer_secure(struct peer *peer, SSL_CTX *ctx, const char *name)
{
    unsigned long end = now_ms() + PEER_PATIENCE_MS;
    int rc = 0;

    peer->ssl = SSL_new(ctx);
    if (peer->ssl == NULL || SSL_set_fd(peer->ssl, peer->fd) != 1 ||
        SSL_set_tlsext_host_name(peer->ssl, name) != 1 || SSL_set1_host(peer->ssl, name) != 1)
        abort();
    while (now_ms() < end) {
        ERR_clear_error();
        rc = SSL_connect(peer->ssl);
        if (rc == 1)
            return true;
        if (SSL_get_error(peer->ssl, rc) != SSL_ERROR_WANT_READ)
            return false;
        turn(peer);
    }
    return false;
}

/* Bytes sent at once; 0 when the pipe is full, -1 when it is broken. */
static long put(struct peer *peer, const char *bytes, size_t len)
{
    long n;

    if (peer->ssl == NULL) {
        n = send(peer->fd, bytes, len, MSG_NOSIGNAL);
        return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
    }
    ERR_clear_error();
    n = SSL_write(peer->ssl, bytes, (int)len);
    if (n > 0)
        return n;
    return SSL_get_error(peer->ssl, (int)n) == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* The same for reading, where 0 means nothing yet; notes the end. */
static long get(struct peer *peer, char *bytes, size_t size)
{
    long n;
    int error;

    if (peer->ssl == NULL) {
        n = recv(peer->fd, bytes, size, 0);
        peer->ended |= n == 0;
        peer->reset |= n < 0 && errno != EAGAIN;
        return n > 0 ? n : 0;
    }
    ERR_clear_error();
    n = SSL_read(peer->ssl, bytes, (int)size);
    if (n > 0)
        return n;
    error = SSL_get_error(peer->ssl, (int)n);
    peer->ended |= error == SSL_ERROR_ZERO_RETURN;
    peer->reset |= error == SSL_ERROR_SYSCALL || error == SSL_ERROR_SSL;
    return 0;
}

static void listen_in(struct peer *peer)
{
    long n;

    while (!peer->ended && !peer->reset && peer->len < PEER_HEARD) {
        n = get(peer, peer->heard + peer->len, PEER_HEARD - peer->len);
        if (n == 0)
            return;
        peer->len += (size_t)n;
    }
}

void peer_say(struct peer *peer, const char *text)
{
    unsigned long end = now_ms() + PEER_PATIENCE_MS;
    size_t len = strlen(text);

    while (len > 0) {
        long n = put(peer, text, len);
        if (n < 0 || now_ms() > end) {
            fprintf(stderr, "peer: nobody listens to: %s\n", text);
            abort();
        }
        text += n;
        len -= (size_t)n;
        turn(peer);
    }
}

size_t peer_pour(struct peer *peer, size_t len)
{
    static const char zeros[65536];
    size_t sent = 0;
    long n = 1;

    while (n > 0 && sent < len) {
        n = put(peer, zeros, len - sent < sizeof(zeros) ? len - sent : sizeof(zeros));
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent;
}

/* Waits for `text`; where it begins, or NULL. */
static char *await(struct peer *peer, const char *text)
{
    unsigned long end = now_ms() + PEER_PATIENCE_MS;

    for (;;) {
        char *at;
        turn(peer);
        listen_in(peer);
        at = memmem(peer->heard, peer->len, text, strlen(text));
        if (at != NULL)
            return at;
        if (peer->ended || peer->reset || now_ms() > end)
            break;
    }
    fprintf(stderr, "peer: wanted \"%s\", heard \"%.*s\"%s%s\n", text, (int)peer->len, peer->heard,
            peer->ended ? ", then the end" : "", peer->reset ? ", then a reset" : "");
    return NULL;
}

static void forget(struct peer *peer, size_t len)
{
    peer->len -= len;
    memmove(peer->heard, peer->heard + len, peer->len);
}

bool peer_hears(struct peer *peer, const char *text)
{
    char *at = await(peer, text);

    if (at != NULL)
        forget(peer, (size_t)(at - peer->heard) + strlen(text));
    return at != NULL;
}

bool peer_hears_line(struct peer *peer, char *line, size_t size)
{
    char *at = await(peer, "\r\n");
    size_t len;

    if (at == NULL)
        return false;
    len = (size_t)(at - peer->heard);
    snprintf(line, size, "%.*s", (int)len, peer->heard);
    forget(peer, len + 2);
    return true;
}

bool peer_hears_end(struct peer *peer)
{
    unsigned long end = now_ms() + PEER_PATIENCE_MS;

    while (!peer->ended && !peer->reset && now_ms() < end) {
        turn(peer);
        listen_in(peer);
    }
    return peer->ended;
}

size_t peer_swallow(struct peer *peer)
{
    size_t len;

    listen_in(peer);
    len = peer->len;
    peer->len = 0;
    return len;
}

void peer_die(struct peer *peer)
{
    SSL_free(peer->ssl);
    peer->ssl = NULL;
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
}

void peer_close(struct peer *peer)
{
    if (peer->ssl != NULL && !peer->reset)
        SSL_shutdown(peer->ssl);
    peer_die(peer);
}
