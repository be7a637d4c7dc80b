/*
 * One worker's end of a listening socket: accepts a few connections a turn and hands over their
 * descriptors. Out of descriptors it pauses instead of spinning.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "waypost/base/addr.h"
#include "waypost/base/log.h"

#define LISTEN_BATCH    16u  /* accepts in one turn of the loop */
#define LISTEN_PAUSE_MS 250u /* after EMFILE and its like */
/* A whole queue of the kernel, which could be filled as fast as it is emptied. */
#define LISTEN_SWEEP 4096u

/* `fd` is connected, non-blocking and now the callee's. */
typedef void listener_accepted(void *ctx, int fd, const struct addr *remote);
/* The loop has let go of the listener: its memory is the owner's again. */
typedef void listener_closed(void *ctx);

struct listener {
    uv_poll_t poll;
    uv_timer_t resume;
    int fd;      /* owned */
    int reserve; /* owned: one descriptor kept back to turn a client away with */
    const char *name;
    const struct log *log;
    listener_accepted *accepted;
    listener_closed *closed;
    void *ctx; /* borrowed, for accepted and closed */
    bool open;
};

/* Takes the listening descriptor `fd`; borrows name and log until listener_stop. False when the
 * loop refuses it: the descriptor is closed then. */
MUST_USE
bool listener_start(struct listener *l, uv_loop_t *loop, int fd, const char *name,
                    const struct log *log, listener_accepted *accepted, void *ctx);
/* Accepts who waits in the kernel's queue already and would be lost with it. */
void listener_sweep(struct listener *l);
/* Stops and closes; harmless when repeated. `l` must stay where it is until `closed` (NULL: nobody)
 * is called, in a later turn of the loop. */
void listener_stop(struct listener *l, listener_closed *closed);
