/*
 * TLS without sockets: a configuration to build a tls_set from, engines with their four buffers,
 * and a wire between two of them that carries a given number of bytes a turn.
 */
#pragma once

#include <openssl/ssl.h>

#include "testca.h"
#include "waypost/base/pool.h"
#include "waypost/tls/context.h"
#include "waypost/tls/engine.h"

#define TLSBED_BACKENDS     4u
#define TLSBED_CERTIFICATES 4u

/* One server "imap.example.com" and one backend of the same name, both certified by `ca`. A test
 * changes what it likes before tlsbed_load. */
struct tlsbed {
    struct testca ca;
    struct conf conf;
    struct conf_routes routes;
    struct conf_backend backends[TLSBED_BACKENDS];
    struct conf_certificate certificates[TLSBED_CERTIFICATES];
    unsigned char pins[2][32];
    struct conf_errors errors;
    struct tls_tickets *tickets; /* owned */
    struct tls_set *set;         /* owned; NULL until loaded */
};

void tlsbed_open(struct tlsbed *bed);
void tlsbed_close(struct tlsbed *bed);
/* Presents FILE.pem and FILE.key, which must exist, after those that are presented already. */
void tlsbed_present(struct tlsbed *bed, const char *file);
/* Builds bed->set; false when there are findings. */
bool tlsbed_load(struct tlsbed *bed);
/* The finding at `pointer`, or NULL. */
const char *tlsbed_finding(const struct tlsbed *bed, const char *pointer);

/* An engine and its buffers. */
struct tlsend {
    struct tls_engine *engine; /* owned */
    struct buf wire_in, wire_out, in, out;
    struct tls_io io;
};

/* `max` bounds each of the four buffers. */
void tlsend_open(struct tlsend *end, struct tls_engine *engine, struct pool *pool, size_t max);
void tlsend_close(struct tlsend *end);

/* Two ends: `client` is an engine for backend 0 of the bed, `server` a server engine. */
struct tlspair {
    struct pool pool;
    struct tlsend client, server;
    size_t step; /* bytes the wire carries a turn in each direction */
};

void tlspair_open(struct tlspair *pair, struct tls_set *set, size_t max, size_t step);
void tlspair_close(struct tlspair *pair);
/* One turn: advances both ends and carries bytes. False when nothing moved. */
bool tlspair_turn(struct tlspair *pair);
/* Turns until nothing moves. */
void tlspair_run(struct tlspair *pair);
/* Runs until both ends are TLS_OPEN; false when they do not get there. */
bool tlspair_shake(struct tlspair *pair);

/* OpenSSL itself as the peer of an engine, for settings and misdeeds ours has no words for. */
struct tlsraw {
    SSL_CTX *ctx; /* owned */
    SSL *ssl;     /* owned; NULL until tlsraw_meet */
    BIO *net;     /* owned; the other end of its BIO pair */
    int reason;   /* why its handshake failed, SSL_R_*; 0: it did not */
    struct pool pool;
    struct tlsend end;
};

/* Makes the context only, client or server, so that a test can set it up. A raw client verifies
 * against the bed's CA; a raw server presents "server". */
void tlsraw_client(struct tlsraw *raw, struct tlsbed *bed);
void tlsraw_server(struct tlsraw *raw, struct tlsbed *bed);
/* Gives the raw peer its connection and takes over `engine` as the other end. */
void tlsraw_meet(struct tlsraw *raw, struct tls_engine *engine, size_t max);
/* Carries bytes and advances the engine until nothing moves. */
void tlsraw_carry(struct tlsraw *raw);
/* Handshakes as far as it goes: true when both sides are done. */
bool tlsraw_shake(struct tlsraw *raw);
/* Why the raw peer gave up: SSL_R_* of the alert it was sent; 0 when it did not. */
int tlsraw_alert(struct tlsraw *raw);
/* What SSL_read says once everything has been carried; bytes go to `into`. */
int tlsraw_read(struct tlsraw *raw, void *into, int len);
/* Ends the connection, keeps the context for another. */
void tlsraw_part(struct tlsraw *raw);
void tlsraw_close(struct tlsraw *raw);
