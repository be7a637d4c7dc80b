/*
 * One client's life: a session, two streams, at most one dial and one timer. The only code that
 * knows both the core and the shell.
 */
#pragma once

#include <uv.h>

#include "run/generation.h"
#include "waypost/base/list.h"
#include "waypost/net/dns.h"
#include "waypost/session/session.h"

/* A hung-up stream's peer gets this long to close its own end. */
#define CONN_LINGER_MS 1500u

/* What a worker lends its connections, and where they are counted. */
struct conn_home {
    uv_loop_t *loop;                 /* borrowed */
    struct session_env *env;         /* borrowed */
    struct dns *dns;                 /* borrowed */
    const struct session_gate *gate; /* borrowed; NULL: no limits of users and addresses */
    struct list conns;
    struct list early; /* of those nobody has logged in on, the oldest first */
    size_t count;
    /* Called after a connection was freed. */
    void (*gone)(struct conn_home *home);
};

/* Begins a connection on the accepted descriptor, which is taken in any case. Holds a reference to
 * the generation; borrows listener and home, which outlive it. False when memory was short. */
MUST_USE
bool conn_accept(struct conn_home *home, struct generation *generation,
                 const struct conf_listener *listener, int fd, const struct addr *remote);
/* Asks every connection to end: with a BYE at the next safe point. */
void conns_leave(struct conn_home *home, enum reason reason);
/* Of the connections without login the oldest makes room for the newest. False when it is that one
 * itself. */
bool conns_evict(struct conn_home *home);
/* Closes every connection without waiting for anybody. */
void conns_abort(struct conn_home *home);
