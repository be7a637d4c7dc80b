/*
 * Owns the blocks on its free lists; a block that was taken belongs to the taker until given back.
 * Never zeroes memory: whoever held a secret in a block wipes it first (see buf).
 */
#include "waypost/base/pool.h"

#include <stdlib.h>

#include "waypost/base/limits.h"

/* Under AddressSanitizer a block on a free list is out of bounds but for its link, so that a slice
 * which outlived its buffer is found at its first use. */
#if defined(__has_include) && __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   (UNUSED(at), UNUSED(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) (UNUSED(at), UNUSED(size))
#endif

struct pool_block {
    struct pool_block *next;
};

static const size_t class_size[POOL_CLASSES] = {
    [POOL_SMALL] = LIMIT_BLOCK_SMALL,
    [POOL_LARGE] = LIMIT_BLOCK_LARGE,
    [POOL_HUGE] = LIMIT_BLOCK_HUGE,
};

/* How many idle blocks of a class are worth keeping: a few hot ones, not the memory of a storm. */
static const unsigned class_keep[POOL_CLASSES] = {
    [POOL_SMALL] = 64,
    [POOL_LARGE] = 32,
    [POOL_HUGE] = 8,
};

static enum pool_class class_for(size_t want)
{
    REQUIRE(want <= LIMIT_BLOCK_HUGE);
    if (want <= LIMIT_BLOCK_SMALL)
        return POOL_SMALL;
    return want <= LIMIT_BLOCK_LARGE ? POOL_LARGE : POOL_HUGE;
}

void pool_init(struct pool *pool)
{
    *pool = (struct pool){.fail_after = -1};
}

void pool_fini(struct pool *pool)
{
    for (unsigned c = 0; c < POOL_CLASSES; c++)
        REQUIRE(pool->taken[c] == 0);
    pool_trim(pool);
}

size_t pool_size_for(size_t want)
{
    return class_size[class_for(want)];
}

char *pool_take(struct pool *pool, size_t want, size_t *size)
{
    enum pool_class c = class_for(want);
    struct pool_block *block = pool->free[c];

    if (pool->fail_after >= 0 && pool->fail_after-- == 0) {
        pool->fail_after = 0;
        return NULL;
    }
    if (block != NULL) {
        pool->free[c] = block->next;
        pool->kept[c]--;
        ASAN_UNPOISON_MEMORY_REGION(block, class_size[c]);
    } else {
        block = malloc(class_size[c]);
        if (block == NULL)
            return NULL;
    }
    pool->taken[c]++;
    *size = class_size[c];
    return (char *)block;
}

void pool_give(struct pool *pool, char *block, size_t size)
{
    enum pool_class c = class_for(size);
    struct pool_block *node = (struct pool_block *)(void *)block;

    REQUIRE(size == class_size[c] && pool->taken[c] > 0);
    pool->taken[c]--;
    if (pool->kept[c] >= class_keep[c]) {
        free(block);
        return;
    }
    ASAN_POISON_MEMORY_REGION(node + 1, size - sizeof *node);
    node->next = pool->free[c];
    pool->free[c] = node;
    pool->kept[c]++;
}

void pool_trim(struct pool *pool)
{
    for (unsigned c = 0; c < POOL_CLASSES; c++) {
        while (pool->free[c] != NULL) {
            struct pool_block *block = pool->free[c];
            pool->free[c] = block->next;
            free(block);
        }
        pool->kept[c] = 0;
    }
}
