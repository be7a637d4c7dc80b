/*
 * One backend as the fleet keeps it, for the two files that share the work: fleet.c and roll.c.
 */
#pragma once

#include <stdatomic.h>

#include "run/fleet.h"

struct fleet_backend {
    struct fleet_backend *retired; /* owned; the next one whose name is another server's now */
    bool fresh;                    /* nobody knows it yet */
    char *name, *host;             /* owned; of the latest configuration that has it */
    uint16_t port;
    enum conf_tls_mode tls;
    atomic_uint_fast64_t sessions;
    atomic_uint logins; /* under way */
    atomic_bool dead;   /* what health_is_dead says */
    /* All that follows under the lock. */
    struct health health;
    struct health_rules rules;
    uint64_t max_sessions;
    uint64_t operated; /* when the operator last changed something */
    uint64_t probed;   /* when a probe last ended; FLEET_NEVER */
    bool configured;
};

/* The time where no loop is at hand, ms. */
static inline uint64_t fleet_clock(void)
{
    return uv_hrtime() / 1000000;
}
