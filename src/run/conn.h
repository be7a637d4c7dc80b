/*
 * One client's life: a session, two streams, at most one dial and one timer. The only code that
 * knows both the core and the shell.
 */
#pragma once

#include <uv.h>

#include "run/generation.h"
#include "run/turnstile.h"
#include "waypost/base/list.h"
#include "waypost/net/dns.h"
#include "waypost/session/session.h"

/* A hung-up stream's peer gets this long to close its own end. */
#define CONN_LINGER_MS 1500u

struct seating;

/* What a worker lends its connections, and where they are counted. */
struct conn_home {
    uv_loop_t *loop;                 /* borrowed */
    struct session_env *env;         /* borrowed */
    struct dns *dns;                 /* borrowed */
    const struct session_gate *gate; /* borrowed; NULL: no limits of users and addresses */
    const struct seating *seating;   /* borrowed */
    struct turnstile *turnstile;     /* borrowed; for conn_pass; NULL: handshakes do not wait */
    struct list conns;
    struct list early; /* of those nobody has logged in on, the oldest first */
    size_t count;
    uint64_t accepted; /* so far */
    /* Called after a connection was freed. */
    void (*gone)(struct conn_home *home);
};

/* Begins a connection on the accepted descriptor, which is taken in any case. Holds a reference to
 * the generation; borrows listener and home, which outlive it. False when memory was short. */
MUST_USE
bool conn_accept(struct conn_home *home, struct generation *generation,
                 const struct conf_listener *listener, int fd, const struct addr *remote);
struct conn;

/* What can be told about a connection. Texts are borrowed: until the visit is over. */
struct conn_view {
    const char *id, *listener, *phase;
    const char *user;               /* normalised; NULL: none yet */
    const char *login;              /* the name at the backend; NULL: not logged in there */
    const char *backend;            /* that is being or was last tried; NULL: none yet */
    const char *tls;                /* version; NULL: none */
    const struct fleet_backend *at; /* where it holds a place; NULL: nowhere */
    struct addr client;             /* after a PROXY header */
    uint64_t age, idle;             /* ms since it was accepted, since bytes were last relayed */
    uint64_t to_client, to_backend;
    bool relaying; /* logged in, and not ending */
    bool resting;  /* relaying, and no command waits for its answer */
    bool leaving;  /* was asked to end already */
};
void conn_look(const struct conn *c, struct conn_view *out);
/* Asks one connection to end: with a BYE at the next safe point. For a visitor, too. */
void conn_leave(struct conn *c, enum reason reason);
/* Closes it without waiting for anybody, if it has a lease of that user's, by his registry_key. */
void conn_cut(struct conn *c, uint64_t user, enum reason reason);
/* Has the user of this connection leave his backend: with all his sessions, where one backend has
 * to have them all, else with this one. How many that are. */
uint32_t conn_move_out(struct conn *c, enum reason reason);
/* Visits every connection, the oldest first. On the loop's thread. */
void conns_each(struct conn_home *home, void (*visit)(void *ctx, struct conn *c), void *ctx);
/* The same in pieces of at most `most` visits: *cursor is 0 at first and says where to go on.
 * Connections may come and go in between. True when there are more. */
bool conns_some(struct conn_home *home, uint64_t *cursor, size_t most,
                void (*visit)(void *ctx, struct conn *c), void *ctx);
/* What the turnstile lets pass. */
void conn_pass(struct list *node);
/* Asks every connection to end: with a BYE at the next safe point. */
void conns_leave(struct conn_home *home, enum reason reason);
/* Looks whose user must leave his backend, and who is at a dead one, and tells them. */
void conns_review(struct conn_home *home);
/* Of the connections without login the oldest makes room for the newest. False when it is that one
 * itself. */
bool conns_evict(struct conn_home *home);
/* Closes every connection without waiting for anybody. */
void conns_abort(struct conn_home *home);
