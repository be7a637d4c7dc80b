/*
 * At which backend each user is, for all threads and through all reloads: the homes of
 * place/homes.h in shards, each under its own lock, which is held for one look and nothing else.
 * Users are known by cluster and login name, whose letters' case does not matter.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "run/fleet.h"
#include "waypost/base/slice.h"
#include "waypost/limit/key.h"
#include "waypost/place/homes.h"

#define REGISTRY_SHARDS 16u

struct registry {
    struct limit_keys keys;
    atomic_bool holds; /* somebody may be held: logins without a cluster must look, too */
    /* Somebody must leave: every connection looks whether it is the one. From any thread. */
    void (*disturb)(void *ctx);
    void *ctx; /* borrowed */
    struct registry_shard {
        uv_mutex_t lock;
        struct homes homes;
    } shards[REGISTRY_SHARDS];
};

/* Room for so many sessions, and as many users who linger. False when memory or randomness is
 * short. */
MUST_USE
bool registry_init(struct registry *r, uint64_t sessions, void (*disturb)(void *ctx), void *ctx);
/* Nobody holds anything any more. */
void registry_fini(struct registry *r);

/* NULL for cluster: a user of no cluster, who can be held and nothing else. */
uint64_t registry_key(const struct registry *r, const char *cluster, struct slice login);

/* --- for sessions: see place/homes.h ---------------------------------------------------------- */

struct home_answer registry_place(struct registry *r, const struct home_query *query, uint64_t now);
/* Whether logins under that key are to wait. Cheap while nobody is held. */
bool registry_held(struct registry *r, uint64_t key, uint64_t now);
void registry_settle(struct registry *r, uint64_t key, struct home *home);
void registry_release(struct registry *r, uint64_t key, struct home *home, bool session,
                      uint64_t settle, uint64_t now);
/* Whoever holds this lease, and all others of that user, must go. */
void registry_evict(struct registry *r, uint64_t key, struct home *home);
/* True when the holder of the lease must go. Takes no lock. */
static inline bool registry_leaving(const struct home *home)
{
    return atomic_load_explicit(&home->leaving, memory_order_relaxed);
}

/* --- for the operator ------------------------------------------------------------------------- */

/* An order under way; see homes_order. NULL: there is another one, or no room. */
MUST_USE
struct home *registry_order(struct registry *r, uint64_t key, const struct fleet_backend *to,
                            uint64_t now);
bool registry_vacant(struct registry *r, uint64_t key, const struct home *home, uint64_t now);
bool registry_obeyed(struct registry *r, uint64_t key, struct home *home, uint64_t now);
/* See homes_hold. */
MUST_USE
bool registry_hold(struct registry *r, uint64_t key, uint64_t until, uint64_t now);

struct registry_view {
    const struct fleet_backend *at;      /* NULL: nowhere */
    const struct fleet_backend *ordered; /* NULL: no order */
    bool pinned;                         /* `at` was ordered: it need not be among the choices */
    uint64_t held_until;                 /* 0: not held */
    uint32_t logins, sessions;           /* there now; sessions are among the logins */
};
/* False: nothing is known of the user. */
bool registry_look(struct registry *r, uint64_t key, uint64_t linger, uint64_t now,
                   struct registry_view *out);
