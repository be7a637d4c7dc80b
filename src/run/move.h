/*
 * Moving one user to another backend, all workers together: nobody comes in, whoever is there gets
 * BYE at a safe point, and is cut off when half of the time is over; then, after placement.settle,
 * the door opens at the new backend. If somebody is there still when the time is over, the user
 * stays where he was.
 */
#pragma once

#include <uv.h>

#include "run/errand.h"
#include "run/registry.h"
#include "waypost/base/str.h"
#include "waypost/conf/conf.h"

struct supervisor;

/* Begun by move_begin; stays where it is until `done`, which may free it. */
struct move {
    void (*done)(struct move *move, bool moved); /* set by the caller; on the supervisor's loop */

    /* To be read by `done`. */
    uint64_t sessions; /* that the user had when it began */
    uint64_t began;    /* loop time */

    /* Private. */
    struct supervisor *supervisor;
    uint64_t key;
    struct home *home;
    uint64_t cut_at, end_at; /* loop time */
    uv_timer_t timer;
    struct errand cutting;
    bool cut;    /* the errand is out or has been */
    bool abroad; /* it is out */
    bool decided, moved;
};

/* Who a user is in the registry: as a login under that name would be placed in the configuration in
 * force. `to` narrows it to the cluster of that backend; NULL: any. False with the reason in `why`
 * when he is not kept at one backend, or is denied. */
MUST_USE
bool move_key(const struct supervisor *s, const char *user, const char *to, uint64_t *key,
              struct str *why);
/* `patience` is ms for the whole. False, with the reason in `why`, when it cannot begin. */
MUST_USE
bool move_begin(struct move *move, struct supervisor *s, const char *user, const char *to,
                uint64_t patience, struct str *why);
/* Nobody comes in under that name for so many ms, whether he is kept at one backend or not; 0 ends
 * it. False, with the reason in `why`, when that is not possible. */
MUST_USE
bool move_hold(struct supervisor *s, const char *user, uint64_t ms, struct str *why);
