/*
 * One thread with its own loop, block pool, name cache, listeners and connections. Others reach it
 * through a mailbox only.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "run/conn.h"
#include "run/doors.h"
#include "run/generation.h"
#include "run/review.h"

enum letter_kind {
    LETTER_DRAIN, /* accept no more, ask everybody to leave */
    LETTER_STOP,  /* and wait for nobody */
    LETTER_VISIT, /* somebody else's job, see run/errand.h */
};

struct worker;

struct letter {
    struct list node;
    enum letter_kind kind;
    /* LETTER_VISIT: takes the letter back, which is the sender's. `worker` is NULL, on whatever
     * thread, when it reads no more mail. */
    void (*visit)(struct letter *letter, struct worker *worker);
};

struct worker {
    unsigned index;
    uv_thread_t thread;
    uv_loop_t loop;
    uv_async_t async;
    struct review review;
    struct turnstile turnstile;
    uv_mutex_t lock;
    struct list mail; /* of struct letter; under the lock */
    struct pool pool;
    struct dns dns;
    struct log log;
    struct session_env env;
    struct conn_home home;
    struct generation *generation; /* one reference */
    struct doors doors;            /* of that generation */
    bool started, draining;
    bool closed;                     /* reads no more mail; written under the lock */
    size_t peak;                     /* connections since the last trim */
    uint64_t turned_away;            /* not yet logged */
    uint64_t next_warning;           /* loop time */
    uint64_t evicted, next_eviction; /* the same of connections without login */
    uv_async_t *ended;               /* borrowed: rung by the thread when its loop is done */
    atomic_bool done;
};

/* What workers share; outlives them. */
struct worker_setup {
    const struct log *log; /* copied; its sink must be thread-safe */
    struct metrics *metrics;
    const struct session_gate *gate; /* NULL: no limits of users and addresses */
    const struct seating *seating;
    struct generation *generation; /* the worker takes a reference of its own */
    uv_async_t *ended;
};

/* False, with everything undone, when memory or descriptors are short. */
MUST_USE
bool worker_init(struct worker *w, unsigned index, const struct worker_setup *setup);
/* Before worker_start: takes its descriptors of all listeners and accepts there from then on. */
MUST_USE
bool worker_listen(struct worker *w, struct bindings *bindings);
MUST_USE
bool worker_start(struct worker *w);
/* From any thread; no LETTER_VISIT. False when memory is short. */
MUST_USE
bool worker_post(struct worker *w, enum letter_kind kind);
/* From any thread: a LETTER_VISIT. */
void worker_mail(struct worker *w, struct letter *letter);
/* From any thread: its connections are to be looked at, see run/review.h. */
void worker_disturb(struct worker *w);
/* On the worker's thread: connections to come begin under another generation, of which it takes a
 * reference, at the listeners of the plan that was made for it. */
void worker_use(struct worker *w, struct generation *generation, struct doors_plan *plan);
/* Whether its thread has ended; rings `ended` when it does. */
bool worker_done(const struct worker *w);
/* Waits for a worker that was started; frees what it owns. */
void worker_end(struct worker *w);
