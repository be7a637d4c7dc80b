/*
 * Owns two queues on one pool and, for each, an array that says what it must hold. Content is never
 * zero and every block starts out zeroed, so a byte that was not wiped shows.
 */
#include "support/buf_model.h"

#include <string.h>

#include "waypost/base/buf.h"
#include "waypost/base/limits.h"

#define MAX_OPS 96u
#define SPARE   4u /* blocks per class: two queues, one to move to, one more */

struct twin {
    struct buf buf;
    char bytes[LIMIT_BUF];
    size_t len;
};

static struct twin twins[2];
static struct pool pool;
static char fresh[LIMIT_BUF];
static const char zeroes[LIMIT_BUF];
static unsigned next_byte;

/* Puts zeroed blocks of every class on the free lists, or checks those that are there: behind the
 * link, which the pool writes, a block given back by a wiping queue is zero. */
static void each_spare(bool prepare)
{
    char *blocks[SPARE];
    size_t size = 0;

    for (size_t want = 1; want <= LIMIT_BLOCK_HUGE; want = size + 1) {
        for (unsigned i = 0; i < SPARE; i++) {
            blocks[i] = pool_take(&pool, want, &size);
            ENSURE(blocks[i] != NULL);
            if (prepare)
                memset(blocks[i], 0, size);
            ENSURE(memcmp(blocks[i] + sizeof(void *), zeroes, size - sizeof(void *)) == 0);
        }
        for (unsigned i = 0; i < SPARE; i++)
            pool_give(&pool, blocks[i], size);
    }
}

static const char *fill(size_t n)
{
    for (size_t i = 0; i < n; i++)
        fresh[i] = (char)(1 + next_byte++ % 127);
    return fresh;
}

static void model_add(struct twin *t, const char *bytes, size_t n)
{
    memcpy(t->bytes + t->len, bytes, n);
    t->len += n;
}

static void model_drop(struct twin *t, size_t n)
{
    memmove(t->bytes, t->bytes + n, t->len - n);
    t->len -= n;
}

static void check(const struct twin *t)
{
    const struct buf *b = &t->buf;

    ENSURE(buf_len(b) == t->len && buf_room(b) == b->max - t->len);
    ENSURE(buf_empty(b) == (t->len == 0));
    ENSURE(slice_eq(buf_bytes(b), slice_of(t->bytes, t->len)));
    ENSURE((b->base != NULL) == (t->len > 0));
    if (b->base == NULL)
        return;
    ENSURE(pool_size_for(b->size) == b->size);
    size_t skip = b->head < sizeof(void *) ? b->head : sizeof(void *);
    ENSURE(memcmp(b->base + skip, zeroes, b->head - skip) == 0);
    skip = b->tail < sizeof(void *) ? sizeof(void *) - b->tail : 0;
    ENSURE(memcmp(b->base + b->tail + skip, zeroes, b->size - b->tail - skip) == 0);
}

static bool short_of_memory(void)
{
    return pool.fail_after == 0;
}

static void op_append(struct twin *t, size_t n)
{
    bool fits, done;

    n = n < LIMIT_BUF ? n : LIMIT_BUF;
    fits = n <= buf_room(&t->buf);
    done = buf_append(&t->buf, slice_of(fill(n), n));
    ENSURE(done ? fits : !fits || short_of_memory());
    if (done)
        model_add(t, fresh, n);
}

static void op_space(struct twin *t, size_t want, size_t percent)
{
    size_t room = buf_room(&t->buf), space = 4711;
    char *at = buf_space(&t->buf, want, &space);
    size_t n = space * percent / 100;

    ENSURE((at == NULL) == (space == 0) && space <= room);
    ENSURE(at != NULL || want == 0 || room == 0 || short_of_memory());
    if (at == NULL)
        return;
    ENSURE(space >= (want < room ? want : room));
    memcpy(at, fill(n), n);
    buf_commit(&t->buf, n);
    model_add(t, fresh, n);
}

static void op_drop(struct twin *t, size_t n)
{
    n = n < t->len ? n : t->len;
    buf_drop(&t->buf, n);
    model_drop(t, n);
}

static void op_move(struct twin *to, struct twin *from, size_t n)
{
    size_t room = buf_room(&to->buf), want = n < from->len ? n : from->len;
    const char *block = from->buf.base;
    bool whole = to->len == 0 && want == from->len && want <= room && want > 0;
    size_t moved = buf_move(&to->buf, &from->buf, n);

    want = want < room ? want : room;
    ENSURE(moved == want || (moved == 0 && short_of_memory() && !whole));
    ENSURE(!whole || to->buf.base == block);
    model_add(to, from->bytes, moved);
    model_drop(from, moved);
}

static void op_settle(struct twin *t)
{
    buf_settle(&t->buf);
    if (t->len > 0 && !short_of_memory())
        ENSURE(t->buf.size == pool_size_for(t->len));
}

static void step(const uint8_t op[3])
{
    struct twin *t = &twins[op[0] >> 7], *other = &twins[1 - (op[0] >> 7)];
    size_t n = ((size_t)op[1] << 8 | op[2]) * 2 / (1u + ((op[0] >> 3) & 15u) * 16u);

    switch (op[0] & 7) {
    case 0:
        op_append(t, n);
        break;
    case 1:
        op_space(t, n, op[2] % 101u);
        break;
    case 2:
        op_drop(t, n);
        break;
    case 3:
        op_drop(t, t->len - (n < t->len ? n : t->len));
        break;
    case 4:
        op_move(t, other, n);
        break;
    case 5:
        op_move(t, other, other->len);
        break;
    case 6:
        op_settle(t);
        break;
    default:
        pool.fail_after = op[2] < 64 ? op[2] % 3 : -1;
    }
}

static size_t capacity(uint8_t byte)
{
    static const size_t sizes[] = {1,
                                   100,
                                   LIMIT_BLOCK_SMALL,
                                   LIMIT_BLOCK_SMALL + 1,
                                   LIMIT_BLOCK_LARGE - 1,
                                   LIMIT_BLOCK_LARGE,
                                   LIMIT_BUF - 1,
                                   LIMIT_BUF};

    return sizes[byte % COUNT_OF(sizes)];
}

void buf_model_run(const uint8_t *ops, size_t len)
{
    if (len < 2)
        return;
    pool_init(&pool);
    each_spare(true);
    for (unsigned i = 0; i < 2; i++) {
        buf_init(&twins[i].buf, &pool, capacity(ops[i]));
        twins[i].buf.wipe = true;
        twins[i].len = 0;
    }
    for (size_t i = 2, count = 0; i + 3 <= len && count < MAX_OPS; i += 3, count++) {
        step(ops + i);
        check(&twins[0]);
        check(&twins[1]);
    }
    pool.fail_after = -1;
    for (unsigned i = 0; i < 2; i++)
        buf_fini(&twins[i].buf);
    each_spare(false);
    pool_fini(&pool);
}
