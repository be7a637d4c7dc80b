/*
 * A queue for the only long work there is in a loop: steps of TLS handshakes. One passes in each
 * turn of the loop, after everything that sockets had to say, so that a storm of handshakes delays
 * a session by one of them and not by all.
 */
#pragma once

#include <uv.h>

#include "waypost/base/check.h"
#include "waypost/base/list.h"

struct turnstile {
    struct list queue;
    void (*pass)(struct list *node); /* it has been unlinked */
    uv_check_t check;
    uv_idle_t idle; /* while somebody waits, the loop does not sleep */
};

/* A libuv error, or 0. */
MUST_USE
int turnstile_init(struct turnstile *t, uv_loop_t *loop, void (*pass)(struct list *node));
/* To the end of the queue, unless it is in there. Unlinking it is leaving. */
void turnstile_queue(struct turnstile *t, struct list *node);
static inline bool turnstile_free(const struct turnstile *t)
{
    return list_empty(&t->queue);
}
/* Nobody is in the queue any more. */
void turnstile_close(struct turnstile *t);
