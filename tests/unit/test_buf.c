/*
 * The byte queue: when it holds a block, what it hands over, what it wipes, and what happens
 * without memory. Long random histories run against a model.
 */
#include "waypost/base/buf.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>

#include "support/buf_model.h"
#include "waypost/base/limits.h"

static struct pool pool;
static struct buf a, b;

static void set_up(void)
{
    pool_init(&pool);
    buf_init(&a, &pool, LIMIT_BUF);
    buf_init(&b, &pool, LIMIT_BUF);
}

static void tear_down(void)
{
    buf_fini(&a);
    buf_fini(&b);
    pool_fini(&pool);
}

TestSuite(buf, .init = set_up, .fini = tear_down);

static void append(struct buf *buf, const char *text)
{
    cr_assert(buf_append(buf, slice_str(text)));
}

static void append_n(struct buf *buf, size_t n, char c)
{
    static char bytes[LIMIT_BUF];

    memset(bytes, c, n);
    cr_assert(buf_append(buf, slice_of(bytes, n)));
}

static void expect(const struct buf *buf, const char *text)
{
    cr_expect(slice_eq(buf_bytes(buf), slice_str(text)), "not %s but %.*s", text,
              SLICE_ARG(buf_bytes(buf)));
}

static unsigned blocks_held(void)
{
    return pool.taken[POOL_SMALL] + pool.taken[POOL_LARGE] + pool.taken[POOL_HUGE];
}

Test(buf, a_block_is_held_only_while_there_are_bytes)
{
    cr_expect_eq(blocks_held(), 0);
    cr_expect_eq(buf_bytes(&a).len, 0);
    append(&a, "abc");
    append(&a, "def");
    append(&a, "");
    cr_expect_eq(blocks_held(), 1);
    expect(&a, "abcdef");
    buf_drop(&a, 2);
    expect(&a, "cdef");
    buf_drop(&a, 4);
    cr_expect_eq(blocks_held(), 0);
    cr_expect_null(a.base);
}

Test(buf, space_is_written_in_place)
{
    size_t space;
    char *at = buf_space(&a, 10, &space);

    cr_assert_not_null(at);
    cr_expect_geq(space, 10);
    memcpy(at, "0123456789", 10);
    buf_commit(&a, 4);
    expect(&a, "0123");
}

Test(buf, committing_nothing_gives_the_block_back)
{
    size_t space;

    cr_assert_not_null(buf_space(&a, 1, &space));
    cr_expect_eq(blocks_held(), 1);
    buf_commit(&a, 0);
    cr_expect_eq(blocks_held(), 0);
    cr_assert_not_null(buf_space(&a, 1, &space));
    buf_settle(&a);
    cr_expect_eq(blocks_held(), 0, "settling an empty queue does the same");
}

Test(buf, capacity_is_the_watermark)
{
    struct buf small;
    size_t space;

    buf_init(&small, &pool, 5);
    append(&small, "abc");
    cr_expect_eq(buf_room(&small), 2);
    cr_expect_not(buf_append(&small, SLICE("def")), "all or nothing");
    expect(&small, "abc");
    cr_assert_not_null(buf_space(&small, 100, &space));
    cr_expect_eq(space, 2);
    buf_commit(&small, 0);
    append(&small, "de");
    cr_expect_null(buf_space(&small, 1, &space));
    cr_expect_eq(space, 0);
    buf_drop(&small, 1);
    append(&small, "f");
    expect(&small, "bcdef");
    buf_fini(&small);
}

Test(buf, moving_all_into_an_empty_queue_hands_over_the_block)
{
    const char *block;

    append(&a, "xxabc");
    buf_drop(&a, 2);
    block = a.base;
    cr_expect_eq(buf_move(&b, &a, 3), 3);
    cr_expect_eq(b.base, block);
    cr_expect_null(a.base);
    expect(&b, "abc");
    cr_expect(buf_empty(&a));
}

Test(buf, other_moves_copy_in_order)
{
    append(&a, "abcdef");
    cr_expect_eq(buf_move(&b, &a, 2), 2);
    cr_expect_eq(buf_move(&b, &a, 0), 0);
    cr_expect_eq(buf_move(&b, &a, 100), 4);
    expect(&b, "abcdef");
    cr_expect_eq(buf_move(&b, &a, 1), 0);
    cr_expect_eq(blocks_held(), 1);
}

Test(buf, a_move_stops_at_the_room_there_is)
{
    struct buf small;

    buf_init(&small, &pool, 4);
    append(&a, "abcdef");
    cr_expect_eq(buf_move(&small, &a, 6), 4);
    expect(&small, "abcd");
    expect(&a, "ef");
    buf_fini(&small);
}

Test(buf, blocks_grow_when_needed_and_settle_shrinks_them)
{
    append_n(&a, 10, 'a');
    cr_expect_eq(a.size, LIMIT_BLOCK_SMALL);
    append_n(&a, LIMIT_BLOCK_SMALL, 'b');
    cr_expect_eq(a.size, LIMIT_BLOCK_LARGE);
    append_n(&a, LIMIT_BLOCK_LARGE, 'c');
    cr_expect_eq(a.size, LIMIT_BLOCK_HUGE);
    buf_drop(&a, buf_len(&a) - 3);
    cr_expect_eq(a.size, LIMIT_BLOCK_HUGE);
    buf_settle(&a);
    cr_expect_eq(a.size, LIMIT_BLOCK_SMALL);
    expect(&a, "ccc");
    cr_expect_eq(blocks_held(), 1);
}

Test(buf, bytes_slide_down_rather_than_grow_the_block)
{
    append_n(&a, LIMIT_BLOCK_SMALL, 'a');
    buf_drop(&a, LIMIT_BLOCK_SMALL - 2);
    append(&a, "bcd");
    cr_expect_eq(a.size, LIMIT_BLOCK_SMALL);
    expect(&a, "aabcd");
}

Test(buf, without_memory_nothing_is_lost)
{
    size_t space;

    append_n(&a, LIMIT_BLOCK_SMALL, 'a');
    pool.fail_after = 0;
    cr_expect_not(buf_append(&a, SLICE("b")));
    cr_expect_null(buf_space(&a, 1, &space));
    cr_expect_eq(space, 0);
    cr_expect_eq(buf_len(&a), LIMIT_BLOCK_SMALL);
    cr_expect_not(buf_append(&b, SLICE("b")));
    cr_expect_eq(buf_move(&b, &a, 1), 0);
    cr_expect_eq(buf_len(&a), LIMIT_BLOCK_SMALL);
    cr_expect_eq(buf_move(&b, &a, LIMIT_BLOCK_SMALL), LIMIT_BLOCK_SMALL,
                 "a whole block needs no memory");
}

Test(buf, settling_without_memory_keeps_the_block)
{
    append_n(&a, LIMIT_BLOCK_LARGE, 'a');
    buf_drop(&a, LIMIT_BLOCK_LARGE - 3);
    pool.fail_after = 0;
    buf_settle(&a);
    expect(&a, "aaa");
    cr_expect_eq(a.size, LIMIT_BLOCK_LARGE);
}

/* Makes the next block of this size a zeroed one. */
static void clean(size_t size)
{
    char *block = pool_take(&pool, size, &size);

    memset(block, 0, size);
    pool_give(&pool, block, size);
}

/* Whether the block of this size that was given back last shows `c` behind the pool's link. */
static bool shows(size_t size, char c)
{
    char *block = pool_take(&pool, size, &size);
    bool found = memchr(block + sizeof(void *), c, size - sizeof(void *)) != NULL;

    pool_give(&pool, block, size);
    return found;
}

Test(buf, t79_what_is_dropped_is_overwritten)
{
    for (int wipe = 0; wipe < 2; wipe++) {
        a.wipe = wipe == 1;
        clean(1);
        append_n(&a, 100, '#');
        buf_drop(&a, 40);
        cr_expect_eq(memchr(a.base, '#', 40) != NULL, !a.wipe);
        buf_drop(&a, 60);
        cr_expect_eq(shows(1, '#'), !a.wipe);
    }
}

Test(buf, t79_what_is_left_behind_is_overwritten)
{
    for (int wipe = 0; wipe < 2; wipe++) {
        a.wipe = wipe == 1;
        clean(LIMIT_BLOCK_SMALL);
        clean(LIMIT_BLOCK_LARGE);
        append_n(&a, LIMIT_BLOCK_SMALL, '#');
        append_n(&a, 1, '.'); /* moved to a large block */
        cr_expect_eq(shows(LIMIT_BLOCK_SMALL, '#'), !a.wipe);
        buf_drop(&a, LIMIT_BLOCK_SMALL - 10);
        buf_settle(&a); /* and back */
        cr_expect_eq(shows(LIMIT_BLOCK_LARGE, '#'), !a.wipe);
        buf_drop(&a, buf_len(&a));
    }
}

Test(buf, t79_sliding_overwrites_the_old_place)
{
    a.wipe = true;
    clean(1);
    append_n(&a, LIMIT_BLOCK_SMALL - 50, '.');
    append_n(&a, 50, '#');
    buf_drop(&a, LIMIT_BLOCK_SMALL - 50);
    append_n(&a, 1, '.');
    cr_expect_eq(a.size, LIMIT_BLOCK_SMALL);
    cr_expect_eq(a.head, 0);
    cr_expect_null(memchr(a.base + a.tail, '#', a.size - a.tail));
}

Test(buf, t79_the_end_overwrites_what_is_left)
{
    a.wipe = true;
    clean(1);
    append_n(&a, 100, '#');
    buf_fini(&a);
    cr_expect_not(shows(1, '#'));
}

Test(buf, random_histories_agree_with_the_model)
{
    uint64_t state = 0x9E3779B97F4A7C15u;

    for (unsigned round = 0; round < 200; round++) {
        uint8_t ops[2 + 3 * 64];
        for (size_t i = 0; i < sizeof ops; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            ops[i] = (uint8_t)(state >> 56);
        }
        buf_model_run(ops, sizeof ops);
    }
}

Test(buf, dropping_more_than_there_is_aborts, .signal = SIGABRT)
{
    append(&a, "abc");
    buf_drop(&a, 4);
}

Test(buf, committing_more_than_there_was_space_aborts, .signal = SIGABRT)
{
    size_t space;

    cr_assert_not_null(buf_space(&a, 1, &space));
    buf_commit(&a, space + 1);
}

Test(buf, an_unbounded_queue_cannot_be_made, .signal = SIGABRT)
{
    buf_init(&a, &pool, LIMIT_BUF + 1);
}
