/*
 * An errand: a job that runs once on every worker's thread and then returns to the supervisor's
 * loop. It is how anything reaches the connections of all workers.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "run/worker.h"
#include "waypost/base/check.h"
#include "waypost/base/list.h"

/* Embedded in what the job needs. The caller sets the first two; the memory stays where it is until
 * `done`, which may free or send it again. */
struct errand {
    /* On the worker's thread, for several workers at a time: what it writes must be that worker's
     * own (by worker->index) or atomic. Reaches connections by conns_each(&worker->home, ...). */
    void (*visit)(struct errand *errand, struct worker *worker);
    /* On the supervisor's loop, after all visits, and sees what they wrote. A worker that has ended
     * is not visited. Never called from errand_send. */
    void (*done)(struct errand *errand);

    /* Private. */
    struct list node;
    struct errands *home;
    struct errand_stop *stops; /* owned until `done` */
    atomic_uint left;          /* visits still to be made */
};

/* Where errands set out and come back to. */
struct errands {
    struct worker *workers; /* borrowed; set before the first errand */
    unsigned worker_count;
    uv_async_t async;
    uv_mutex_t lock;
    struct list back; /* of errands that are done; under the lock */
    bool closed;
};

/* On the supervisor's loop. A libuv error, or 0. */
MUST_USE
int errands_init(struct errands *errands, uv_loop_t *loop);
/* All workers have ended: brings every errand home, and then takes no more. Needs one more turn of
 * the loop. */
void errands_close(struct errands *errands);
/* Supervisor's thread only. False, with nobody visited, when memory is short or it is too late. */
MUST_USE
bool errand_send(struct errands *errands, struct errand *errand);
