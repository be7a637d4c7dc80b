/*
 * Workers in threads of their own, before the backend of a connbed.
 */
#pragma once

#include "run/worker.h"
#include "support/connbed.h"

#define WORKBED_WORKERS 2

struct workbed {
    struct connbed conns;
    struct bindings bindings; /* of the configuration's listeners, at other ports */
    struct worker workers[WORKBED_WORKERS];
    uv_async_t ended;
};

/* For connbed_open; the workers of workbed_start share one port, those of workbed_init wait for
 * worker_start or worker_end. */
void workbed_open(struct workbed *bed, const char *extra);
void workbed_init(struct workbed *bed, unsigned i);
void workbed_start(struct workbed *bed, const char *extra);
void workbed_post(struct workbed *bed, enum letter_kind kind);
/* Gives all workers another generation, with the same listeners, and waits for them. */
void workbed_use(struct workbed *bed, struct generation *generation);
/* Whether all threads end within that time. */
bool workbed_ends(struct workbed *bed, unsigned ms);
/* Stops and joins the workers of workbed_start. */
void workbed_stop(struct workbed *bed);
/* Everything else. */
void workbed_close(struct workbed *bed);
