/*
 * Looks at every backend at the start, after each reload and now and then, many at a time, and
 * tells fleet and lore what it saw. Runs on the loop of whoever owns it, beside everything else.
 */
#pragma once

#include <uv.h>

#include "run/fleet.h"
#include "run/generation.h"
#include "waypost/base/list.h"
#include "waypost/probe/agenda.h"
#include "waypost/run/probing.h"

struct prober {
    struct probing_home home;
    const struct log *log; /* borrowed */
    struct fleet *fleet;   /* borrowed */
    struct pool pool;
    struct dns dns;
    uv_timer_t timer;
    uv_async_t alarm;
    struct generation *generation; /* one reference; NULL: nothing to do yet */
    struct agenda agenda;          /* of its backends, without those being looked at */
    struct list looks;             /* under way, of this generation or an earlier one */
    unsigned look_count;
};

/* Borrows loop, log and fleet. */
void prober_init(struct prober *p, uv_loop_t *loop, const struct log *log, struct fleet *fleet);
/* Takes a reference and looks at all of its backends, except where that is turned off. */
void prober_use(struct prober *p, struct generation *generation);
/* Looks soon at backends whose state is about to change. From any thread, until prober_close. */
void prober_hurry(struct prober *p);
/* Ends probes under way and closes all handles; then run the loop until it is empty. */
void prober_close(struct prober *p);
/* Frees what it owns, after the loop has run. */
void prober_fini(struct prober *p);
