/*
 * A look at all connections of one worker, soon after somebody has said that there is a reason:
 * users who must leave their backend, backends that died. However often it is rung, it comes at
 * most every REVIEW_EVERY_MS.
 */
#pragma once

#include <uv.h>

#include "run/conn.h"
#include "waypost/base/check.h"

#define REVIEW_EVERY_MS 50u

struct review {
    struct conn_home *home; /* borrowed */
    uv_async_t async;
    uv_timer_t timer;
    uint64_t next; /* loop time; not before that */
};

/* A libuv error, or 0. */
MUST_USE
int review_init(struct review *review, struct conn_home *home);
/* From any thread, until it is closed. */
void review_ring(struct review *review);
void review_close(struct review *review);
