/*
 * TLS between buffers: ciphertext in `wire_in` and `wire_out`, plaintext in `in` and `out`. The
 * only code that calls SSL_do_handshake, SSL_read, SSL_write and SSL_shutdown. Knows no socket.
 */
#pragma once

#include "waypost/base/buf.h"
#include "waypost/base/check.h"
#include "waypost/tls/context.h"

enum tls_state {
    TLS_HANDSHAKE,
    TLS_OPEN,
    TLS_CLOSED,    /* the peer's close_notify was read; nothing follows */
    TLS_TRUNCATED, /* end of transport without close_notify */
    TLS_FAILED
};

enum tls_failure { TLS_FINE, TLS_PROTOCOL, TLS_VERIFY, TLS_MEMORY };

struct tls_io {
    struct buf *wire_in, *wire_out; /* ciphertext, the stream's */
    struct buf *in, *out;           /* plaintext, the port's */
    bool wire_eof;                  /* nothing will be added to wire_in */
};

struct tls_engine;

/* NULL when memory is short. The engine keeps what it needs of the set alive by itself. */
struct tls_engine *tls_engine_server(struct tls_set *set);
struct tls_engine *tls_engine_backend(struct tls_set *set, const struct conf_backend *backend);
void tls_engine_free(struct tls_engine **engine);

/* Moves everything that can move: handshake, wire_in -> in, out -> wire_out, until one of the
 * buffers stops it. `out` still moves after TLS_CLOSED and TLS_TRUNCATED; wire_in is then emptied.
 * An alert that explains TLS_FAILED is in wire_out. True when any byte moved or the state changed.
 * Bounded by the buffers. */
bool tls_advance(struct tls_engine *engine, struct tls_io *io);
/* Writes what is left in `out` and then close_notify to wire_out, once, if the protocol allows it
 * now (never during a handshake or after a failure). What does not fit follows with tls_advance.
 * Nothing is read any more once it is out. */
void tls_finish(struct tls_engine *engine, struct tls_io *io);

enum tls_state tls_engine_state(const struct tls_engine *engine);
enum tls_failure tls_engine_failure(const struct tls_engine *engine);
/* Static or engine-owned text for the log: what failed, e.g. the verification error. */
const char *tls_engine_detail(const struct tls_engine *engine);
const char *tls_engine_version(const struct tls_engine *engine); /* "TLSv1.3" */
const char *tls_engine_cipher(const struct tls_engine *engine);
/* Server name the client sent, "" if none. Owned by the engine. */
const char *tls_engine_sni(const struct tls_engine *engine);
bool tls_engine_resumed(const struct tls_engine *engine);
/* The protocol agreed on (RFC 7301), static text; NULL without. */
const char *tls_engine_alpn(const struct tls_engine *engine);
/* From a client certificate that verified and has not expired since: the first rfc822Name of its
 * subjectAltName, and the only CN of its subject. UTF-8 without control characters, at most
 * LIMIT_USER bytes; NULL without. Owned by the engine. */
const char *tls_engine_cert_email(const struct tls_engine *engine);
const char *tls_engine_cert_name(const struct tls_engine *engine);
