/*
 * What context, engine, tickets and backend share of a tls_set. Private to src/tls.
 */
#pragma once

#include <stdatomic.h>

#include <openssl/ssl.h>

#include "tls/certs.h"
#include "waypost/tls/context.h"

/* How one backend is spoken to and what it must prove. */
struct tls_peer {
    SSL_CTX *ctx;              /* owned; NULL: this backend uses no TLS */
    char *name;                /* owned; the host name wanted, also sent as SNI */
    unsigned char (*pins)[32]; /* owned */
    size_t pin_count;
};

struct tls_set {
    atomic_uint references;
    SSL_CTX *server; /* owned */
    struct cert_table certs;
    bool refuse_unknown_sni;
    struct tls_peer *peers; /* owned; one for each backend, in the order of conf_routes */
    size_t peer_count;
};

/* The set is freed when its maker and the last engine have let go of it. */
struct tls_set *tls_set_hold(struct tls_set *set);

/* An SSL_CTX with what both sides have in common. NULL when memory is short. */
MUST_USE
SSL_CTX *tls_ctx_new(const SSL_METHOD *method);

/* Fills `set->peers`; the findings of all backends go to `errors`. What was made stays in the set
 * either way. */
MUST_USE
bool tls_peers_load(struct tls_set *set, const struct conf_routes *routes,
                    struct conf_errors *errors);
void tls_peers_free(struct tls_set *set);

/* Session tickets: makes `ctx` seal and open them with `tickets`, which is borrowed. */
MUST_USE
bool tls_tickets_attach(struct tls_tickets *tickets, SSL_CTX *ctx);
/* Makes a new key if the current one is due at `now` (seconds, monotonic). */
void tls_tickets_rotate(struct tls_tickets *tickets, uint64_t now);

/* How long a session may be resumed, and how long a ticket key seals, in seconds: twelve hours.
 * Because both are the same, the previous key opens every ticket that is still good. */
#define TLS_TICKET_PERIOD 43200L
