/*
 * A bounded byte queue on one block from the worker's pool.
 *
 *      base            head               tail              base + size
 *      | dropped       | bytes to read    | space to write  |
 *
 *      0 <= head <= tail <= size <= LIMIT_BUF,   tail - head <= max
 *
 * The block is held only while the queue is non-empty (or being written to), so an idle session
 * holds none. Capacity is the watermark: when buf_room is 0, the other side is not read. Between
 * runs buf_settle moves what remains into the smallest block that holds it. While `wipe` is set,
 * whatever is dropped or left behind is overwritten, because it may be a credential.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/pool.h"
#include "waypost/base/slice.h"

struct buf {
    struct pool *pool; /* borrowed */
    char *base;        /* owned, from pool; NULL when no block is held */
    size_t size;       /* of the block */
    size_t head, tail;
    size_t max; /* bytes the queue may hold, at most LIMIT_BUF */
    bool wipe;
};

void buf_init(struct buf *b, struct pool *pool, size_t max);
/* Drops everything and gives the block back. */
void buf_fini(struct buf *b);

static inline size_t buf_len(const struct buf *b)
{
    return b->tail - b->head;
}

static inline bool buf_empty(const struct buf *b)
{
    return b->tail == b->head;
}

/* Bytes that may still be added. */
static inline size_t buf_room(const struct buf *b)
{
    return b->max - buf_len(b);
}

/* The queued bytes, contiguous; valid until the next call that changes the queue. */
static inline struct slice buf_bytes(const struct buf *b)
{
    return slice_of(b->base == NULL ? "" : b->base + b->head, buf_len(b));
}

/* Contiguous space for `want` more bytes, or for buf_room if that is less: sets *space to its
 * length, which may be more than asked for. NULL, and 0, when the queue is full, memory is short or
 * nothing was wanted. Follow with buf_commit(n), n <= *space; with n == 0 an empty queue gives its
 * block back. */
MUST_USE
char *buf_space(struct buf *b, size_t want, size_t *space);
void buf_commit(struct buf *b, size_t n);

/* All of `bytes` or nothing; false when they do not fit or memory is short. */
MUST_USE
bool buf_append(struct buf *b, struct slice bytes);
/* Removes the first n bytes, n <= buf_len. */
void buf_drop(struct buf *b, size_t n);
/* Moves the first min(n, room of `to`) bytes from `from` to `to` and returns their number. Moving
 * all of `from` into an empty `to` hands over the block and copies nothing. Both share one pool. */
size_t buf_move(struct buf *to, struct buf *from, size_t n);
/* Shrinks the block to the class that what remains needs. Call at the end of a run. */
void buf_settle(struct buf *b);
