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

/* `fd` is connected, non-blocking and now the callee's. */
typedef void listener_accepted(void *ctx, int fd, const struct addr *remote);

struct listener {
    uv_poll_t poll;
    uv_timer_t resume;
    int fd;      /* owned */
    int reserve; /* owned: one descriptor kept back to turn a client away with */
    const char *name;
    const struct log *log;
    listener_accepted *accepted;
    void *ctx; /* borrowed, for accepted */
    bool open;
};

/* Takes the listening descriptor `fd`; borrows name and log until listener_stop. False when the
 * loop refuses it: the descriptor is closed then. */
MUST_USE
bool listener_start(struct listener *l, uv_loop_t *loop, int fd, const char *name,
                    const struct log *log, listener_accepted *accepted, void *ctx);
/* Stops and closes; harmless when repeated. `l` must outlive the next turn of the loop. */
void listener_stop(struct listener *l);
