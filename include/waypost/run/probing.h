/*
 * One probe on a loop: the pure dialogue with a connection and a timer around it.
 */
#pragma once

#include <uv.h>

#include "waypost/base/check.h"
#include "waypost/net/dns.h"
#include "waypost/net/outgoing.h"
#include "waypost/probe/probe.h"
#include "waypost/tls/context.h"

struct probing;

/* Called once, when nothing of the probe is alive; its result is in `p->probe` until then. */
typedef void probing_done(struct probing *p);

struct probing {
    struct probe probe;
    struct outgoing out;
    uv_timer_t timer;
    struct tls_set *tls; /* borrowed */
    probing_done *done;
    bool impatient, ending;
};

/* What a probe borrows, until its end. */
struct probing_home {
    uv_loop_t *loop;
    struct pool *pool;
    struct dns *dns;
};

/* Begins. The memory is the caller's, and must stay where it is until `done`, which is never called
 * from here. `p` may hold anything. */
void probing_start(struct probing *p, const struct probing_home *home,
                   const struct conf_backend *backend, struct tls_set *tls, probing_done *done);
/* Ends it without waiting for anybody. */
void probing_abort(struct probing *p);
