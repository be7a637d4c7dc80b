/*
 * The pool: classes of size, reuse, how much is kept, and running out on demand.
 */
#include "waypost/base/pool.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "waypost/base/limits.h"

Test(pool, a_block_is_of_the_smallest_class_that_holds_it)
{
    static const struct {
        size_t want, size;
    } rows[] = {
        {0, LIMIT_BLOCK_SMALL},
        {1, LIMIT_BLOCK_SMALL},
        {LIMIT_BLOCK_SMALL, LIMIT_BLOCK_SMALL},
        {LIMIT_BLOCK_SMALL + 1, LIMIT_BLOCK_LARGE},
        {LIMIT_BLOCK_LARGE, LIMIT_BLOCK_LARGE},
        {LIMIT_BLOCK_LARGE + 1, LIMIT_BLOCK_HUGE},
        {LIMIT_BLOCK_HUGE, LIMIT_BLOCK_HUGE},
    };
    struct pool pool;

    pool_init(&pool);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t size = 0;
        char *block = pool_take(&pool, rows[i].want, &size);
        cr_assert_not_null(block);
        cr_expect_eq(size, rows[i].size, "%zu", rows[i].want);
        cr_expect_eq(pool_size_for(rows[i].want), rows[i].size);
        memset(block, 'x', size);
        pool_give(&pool, block, size);
    }
    pool_fini(&pool);
}

Test(pool, the_hottest_block_is_used_again)
{
    struct pool pool;
    size_t size;
    char *first, *second;

    pool_init(&pool);
    first = pool_take(&pool, 1, &size);
    second = pool_take(&pool, 1, &size);
    cr_expect_neq(first, second);
    pool_give(&pool, first, size);
    pool_give(&pool, second, size);
    cr_expect_eq(pool_take(&pool, 1, &size), second);
    cr_expect_eq(pool_take(&pool, 1, &size), first);
    pool_give(&pool, first, size);
    pool_give(&pool, second, size);
    pool_fini(&pool);
}

Test(pool, only_a_few_idle_blocks_are_kept)
{
    struct pool pool;
    char *blocks[100];
    size_t size = 0;

    pool_init(&pool);
    for (size_t want = 1; want <= LIMIT_BLOCK_HUGE; want = size + 1) {
        for (size_t i = 0; i < COUNT_OF(blocks); i++)
            blocks[i] = pool_take(&pool, want, &size);
        for (size_t i = 0; i < COUNT_OF(blocks); i++)
            pool_give(&pool, blocks[i], size);
    }
    for (unsigned c = 0; c < POOL_CLASSES; c++) {
        cr_expect_eq(pool.taken[c], 0);
        cr_expect(pool.kept[c] > 0 && pool.kept[c] < COUNT_OF(blocks), "class %u", c);
    }
    pool_trim(&pool);
    for (unsigned c = 0; c < POOL_CLASSES; c++)
        cr_expect(pool.kept[c] == 0 && pool.free[c] == NULL);
    pool_fini(&pool);
}

Test(pool, fails_after_as_many_takes_as_told)
{
    struct pool pool;
    size_t size = 4711;
    char *first, *second;

    pool_init(&pool);
    pool.fail_after = 2;
    first = pool_take(&pool, 1, &size);
    second = pool_take(&pool, 1, &size);
    cr_assert(first != NULL && second != NULL);
    size = 4711;
    cr_expect_null(pool_take(&pool, 1, &size));
    cr_expect_null(pool_take(&pool, 1, &size), "and so from then on");
    cr_expect_eq(size, 4711);
    pool_give(&pool, first, LIMIT_BLOCK_SMALL);
    cr_expect_null(pool_take(&pool, 1, &size), "even with a block at hand");
    pool.fail_after = -1;
    cr_expect_eq(pool_take(&pool, 1, &size), first);
    pool_give(&pool, first, size);
    pool_give(&pool, second, size);
    pool_fini(&pool);
}

Test(pool, a_block_not_given_back_aborts, .signal = SIGABRT)
{
    static char *held; /* reachable to the end, hence no leak */
    struct pool pool;
    size_t size;

    pool_init(&pool);
    held = pool_take(&pool, 1, &size);
    cr_assert_not_null(held);
    pool_fini(&pool);
}

Test(pool, a_block_given_back_twice_aborts, .signal = SIGABRT)
{
    struct pool pool;
    size_t size;
    char *block;

    pool_init(&pool);
    block = pool_take(&pool, 1, &size);
    pool_give(&pool, block, size);
    pool_give(&pool, block, size);
}

Test(pool, no_class_is_larger_than_huge, .signal = SIGABRT)
{
    (void)pool_size_for(LIMIT_BLOCK_HUGE + 1);
}
