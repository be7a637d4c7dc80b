/*
 * What the supervisor keeps, for the files that share its work: startup.c, reload.c and
 * supervisor.c itself. Touched by its thread only, but for what says otherwise.
 */
#pragma once

#include <uv.h>

#include "run/binding.h"
#include "run/errand.h"
#include "run/fleet.h"
#include "run/gate.h"
#include "run/generation.h"
#include "run/ledger.h"
#include "run/logger.h"
#include "run/prober.h"
#include "run/reload.h"
#include "run/seat.h"
#include "run/worker.h"
#include "waypost/base/metrics.h"
#include "waypost/run/supervisor.h"

#define SUPERVISOR_SIGNALS 4u

struct supervisor {
    const char *conf_path;                /* borrowed */
    const struct supervisor_admin *admin; /* borrowed; NULL: nobody */
    void *admin_state;                    /* its own */
    struct logger logger;
    bool logging; /* logger is open */
    struct log log;
    struct metrics metrics;
    struct gate gate;
    bool gated; /* gate is made */
    struct ledger ledger;
    struct fleet fleet;
    struct registry registry;
    bool registered; /* registry is made */
    struct seating seating;
    struct tls_tickets *tickets;
    struct generation *generation; /* one reference: the one in force */
    struct bindings bindings;      /* of its listeners */
    struct {                       /* what only a restart can change, as it was then */
        unsigned workers;
        char *user, *group; /* owned */
    } began;
    struct prober prober;
    struct reloader reloader;
    struct worker *workers;
    unsigned worker_count; /* that were initialised */
    struct errands errands;
    uv_loop_t loop;
    uv_signal_t signals[SUPERVISOR_SIGNALS];
    uv_async_t ended; /* rung by a worker's thread as its last act */
    uv_timer_t patience;
    bool draining;
};

/* Before startup: its loop and what is on it from the first to the last moment. */
void supervisor_open(struct supervisor *s, const char *conf_path,
                     const struct supervisor_admin *admin);
/* After startup, well or not, and when no worker runs any more: frees everything. */
void supervisor_close(struct supervisor *s);
/* Posts a letter to all workers. */
void supervisor_post_all(struct supervisor *s, enum letter_kind kind);
/* Has all workers look at their connections; `ctx` is the supervisor. From any thread. */
void supervisor_disturb(void *ctx);
