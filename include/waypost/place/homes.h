/*
 * Which backend each user is at: while anybody logged in under a name holds a lease there, every
 * other login of that name goes there too, and nowhere else. Afterwards the name stays at home for
 * a while. Pure: backends are tokens that the caller understands, time is monotonic milliseconds.
 * Names are known by keyed hashes only (limit/key.h). One table is used by one thread at a time.
 */
#pragma once

#include <stdatomic.h>

#include "waypost/base/check.h"
#include "waypost/limit/table.h"

/* Where one user is. Private to place/homes.c but for `leaving`. */
struct home {
    struct limit_entry entry; /* held by leases, and by an order */
    const void *at;           /* the backend; NULL: none yet */
    const void *ordered;      /* where the operator wants him next; NULL: no order */
    uint64_t free_at;         /* not at another backend before that */
    uint64_t held_until;      /* nobody is let in before that; 0: no hold */
    uint32_t leases, sessions;
    bool lingers; /* somebody was logged in: stay at home when the last has left */
    bool pinned;  /* an operator chose the backend: it need not be among the choices */
    bool failing; /* a login could not reach it: no more leases until all have ended */
    /* All must go. Read by the threads whose sessions hold leases, without the table's lock. */
    atomic_bool leaving;
};

enum home_verdict {
    HOME_PLACED,  /* one more lease is held, at `at` */
    HOME_HELD,    /* not now: ask again at `until` */
    HOME_NOWHERE, /* none of the choices takes him */
    HOME_FULL     /* the table is full of users who are logged in */
};

/* A login in search of a backend. */
struct home_query {
    uint64_t key;
    const void *const *choices; /* those it may go to, the best first, without those it tried */
    size_t choice_count;
    const void *failed; /* the one it could not use just now; NULL */
    /* Whether a backend takes a user who is not there, and one more login of one who is. */
    bool (*admits)(void *ctx, const void *backend);
    bool (*serves)(void *ctx, const void *backend);
    void *ctx; /* borrowed */
    uint64_t linger;
};

struct home_answer {
    enum home_verdict verdict;
    struct home *home; /* PLACED; valid while the lease is held */
    const void *at;    /* PLACED */
    uint64_t until;    /* HELD */
    bool evicting;     /* HELD, until those who hold leases have left */
};

struct homes {
    struct limit_table table;
};

/* Room for so many users, at home or lingering. False when memory is short. */
MUST_USE
bool homes_init(struct homes *h, uint32_t room);
void homes_fini(struct homes *h);

struct home_answer homes_place(struct homes *h, const struct home_query *query, uint64_t now);
/* The lease has become a session. */
void homes_settle(struct home *home);
/* The connection to the backend is closed. `session`: it was settled; then no other backend is used
 * for `settle` ms. */
void homes_release(struct homes *h, struct home *home, bool session, uint64_t settle, uint64_t now);
/* All who hold leases must go; until they have, nobody comes in. */
void homes_evict(struct home *home);

/* An operator's order: all must leave, nobody comes in, and the next will be at `to`. Held until
 * homes_obeyed. NULL when the table is full, or there is such an order already. */
MUST_USE
struct home *homes_order(struct homes *h, uint64_t key, const void *to, uint64_t now);
/* True when the order can be carried out: nobody is left and the time to settle is over. */
bool homes_vacant(const struct home *home, uint64_t now);
/* Ends the order: carried out and true when homes_vacant, else whoever is there stays. */
bool homes_obeyed(struct homes *h, struct home *home, uint64_t now);
/* Nobody comes in before `until`; those who are there stay. Replaces an earlier hold, 0 ends it.
 * False when the table is full. */
MUST_USE
bool homes_hold(struct homes *h, uint64_t key, uint64_t until, uint64_t now);
/* Whether a hold is in force. */
bool homes_held(struct homes *h, uint64_t key, uint64_t now);
/* The user, if he is or lingers somewhere, or is held; NULL: nothing is known of him. */
const struct home *homes_find(struct homes *h, uint64_t key, uint64_t linger, uint64_t now);
