/*
 * Bounded byte queue. Owns at most one block, borrowed bytes are only its own; allocates nothing
 * but that block and never grows past `max`. Cursors: see the picture in buf.h.
 */
#include "waypost/base/buf.h"

#include <string.h>

#include "waypost/base/limits.h"

static void check_cursors(const struct buf *b)
{
    ENSURE(b->head <= b->tail && b->tail <= b->size && b->tail - b->head <= b->max);
}

static void wipe(const struct buf *b, char *from, size_t n)
{
    if (b->wipe && n > 0)
        explicit_bzero(from, n);
}

static void release(struct buf *b)
{
    if (b->base != NULL)
        pool_give(b->pool, b->base, b->size);
    b->base = NULL;
    b->size = b->head = b->tail = 0;
}

void buf_init(struct buf *b, struct pool *pool, size_t max)
{
    REQUIRE(max > 0 && max <= LIMIT_BUF);
    *b = (struct buf){.pool = pool, .max = max};
}

void buf_fini(struct buf *b)
{
    buf_drop(b, buf_len(b));
    release(b);
}

/* Puts the content at the start of a block of at least `need` bytes, wiping what it leaves. */
static bool relocate(struct buf *b, size_t need)
{
    size_t len = buf_len(b), size;
    char *block = pool_take(b->pool, need, &size);

    if (block == NULL)
        return false;
    if (b->base != NULL) {
        memcpy(block, b->base + b->head, len);
        wipe(b, b->base + b->head, len);
        release(b);
    }
    b->base = block;
    b->size = size;
    b->head = 0;
    b->tail = len;
    return true;
}

static void slide(struct buf *b)
{
    size_t len = buf_len(b), stale = b->tail;

    if (b->head == 0)
        return;
    memmove(b->base, b->base + b->head, len);
    wipe(b, b->base + len, stale - len);
    b->head = 0;
    b->tail = len;
}

char *buf_space(struct buf *b, size_t want, size_t *space)
{
    size_t len = buf_len(b), room = buf_room(b);

    *space = 0;
    want = want < room ? want : room;
    if (want == 0)
        return NULL;
    if (b->size - b->tail < want) {
        if (b->size >= len + want)
            slide(b);
        else if (!relocate(b, len + want))
            return NULL;
    }
    *space = b->size - b->tail < room ? b->size - b->tail : room;
    return b->base + b->tail;
}

void buf_commit(struct buf *b, size_t n)
{
    REQUIRE(n <= b->size - b->tail && n <= buf_room(b));
    b->tail += n;
    if (buf_empty(b))
        release(b);
    check_cursors(b);
}

bool buf_append(struct buf *b, struct slice bytes)
{
    size_t space;
    char *at;

    if (bytes.len == 0)
        return true;
    if (bytes.len > buf_room(b))
        return false;
    at = buf_space(b, bytes.len, &space);
    if (at == NULL)
        return false;
    memcpy(at, bytes.ptr, bytes.len);
    buf_commit(b, bytes.len);
    return true;
}

void buf_drop(struct buf *b, size_t n)
{
    REQUIRE(n <= buf_len(b));
    if (n == 0)
        return;
    wipe(b, b->base + b->head, n);
    b->head += n;
    if (buf_empty(b))
        release(b);
    check_cursors(b);
}

size_t buf_move(struct buf *to, struct buf *from, size_t n)
{
    REQUIRE(to->pool == from->pool);
    if (n > buf_len(from))
        n = buf_len(from);
    if (n > buf_room(to))
        n = buf_room(to);
    if (n == 0)
        return 0;
    if (n == buf_len(from) && buf_empty(to)) {
        release(to);
        to->base = from->base;
        to->size = from->size;
        to->head = from->head;
        to->tail = from->tail;
        from->base = NULL;
        from->size = from->head = from->tail = 0;
        check_cursors(to);
        return n;
    }
    if (!buf_append(to, slice_take(buf_bytes(from), n)))
        return 0;
    buf_drop(from, n);
    return n;
}

void buf_settle(struct buf *b)
{
    size_t len = buf_len(b);

    if (len == 0)
        release(b);
    else if (pool_size_for(len) < b->size && !relocate(b, len))
        return; /* short of memory, the block in hand will do */
    check_cursors(b);
}
