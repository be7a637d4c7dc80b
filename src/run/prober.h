/*
 * Looks at every backend at the start, after each reload and now and then, a few at a time, and
 * tells the lore what it saw. Runs on the loop of whoever owns it, beside everything else.
 */
#pragma once

#include "run/generation.h"
#include "waypost/run/probing.h"

#define PROBER_AT_ONCE 4u

struct prober;

struct prober_slot {
    struct probing probing;
    struct prober *home;           /* borrowed: the owner */
    struct generation *generation; /* one reference while it probes; NULL: free */
};

enum prober_view { PROBER_UNKNOWN, PROBER_UP, PROBER_DOWN };

struct prober {
    struct probing_home home;
    const struct log *log; /* borrowed */
    struct pool pool;
    struct dns dns;
    uv_timer_t timer;
    struct generation *generation; /* one reference; NULL: nothing to do yet */
    enum prober_view *views;       /* owned; of each backend, as last logged */
    size_t next;                   /* backend to look at next in this round */
    struct prober_slot slots[PROBER_AT_ONCE];
};

/* Borrows loop and log. */
void prober_init(struct prober *p, uv_loop_t *loop, const struct log *log);
/* Takes a reference and begins a round with its backends, unless probing is turned off there. */
void prober_use(struct prober *p, struct generation *generation);
/* Ends probes under way and closes all handles; then run the loop until it is empty. */
void prober_close(struct prober *p);
/* Frees what it owns, after the loop has run. */
void prober_fini(struct prober *p);
