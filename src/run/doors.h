/*
 * The listeners of one worker, in the order of the configuration in force there. A reload is
 * prepared where it may fail, and followed where it may not.
 */
#pragma once

#include "run/binding.h"
#include "waypost/net/listen.h"

struct doors;

/* A listener and what its connections are told. */
struct door {
    struct listener listener;
    const struct conf_listener *conf; /* borrowed from the generation of the worker */
    struct doors *doors;              /* borrowed: where it belongs */
    int fd;                           /* owned until the listener is started; then -1 */
};

/* Somebody has come; `fd` is the callee's. */
typedef void doors_accepted(struct doors *doors, const struct conf_listener *conf, int fd,
                            const struct addr *remote);

struct doors {
    struct door **list; /* owned, each too */
    size_t count;
    uv_loop_t *loop;       /* borrowed */
    const struct log *log; /* borrowed */
    doors_accepted *accepted;
};

/* The doors of another configuration, some of them new and not open yet. */
struct doors_plan {
    struct door **list; /* owned, each too; NULL: a kept one */
    size_t *kept;       /* owned; where that stands now */
    size_t count;
};

/* Takes the worker's descriptors of new listeners. False when memory is short; nothing is taken
 * then. */
MUST_USE
bool doors_prepare(struct bindings *bindings, unsigned worker, struct doors_plan *out);
/* Frees what was not followed; harmless on a zeroed plan. */
void doors_plan_fini(struct doors_plan *plan);

void doors_init(struct doors *doors, uv_loop_t *loop, const struct log *log,
                doors_accepted *accepted);
/* Accepts whoever waits at listeners that the plan does not keep, and closes those. The
 * configuration in force must be the old one still. */
void doors_leave(struct doors *doors, const struct doors_plan *plan);
/* After doors_leave: opens the new ones, and all belong to `conf` now, which the plan was made for.
 * False when the loop refused some of them, which stay closed; they are logged. */
bool doors_enter(struct doors *doors, struct doors_plan *plan, const struct conf *conf);
/* Closes them all; the loop frees them. */
void doors_close(struct doors *doors);
