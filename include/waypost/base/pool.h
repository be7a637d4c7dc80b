/*
 * Blocks of memory for one worker, in three sizes (LIMIT_BLOCK_*), kept on free lists so that a
 * busy relay reuses the same hot block. One pool per thread, never shared. A pool may be told to
 * fail, which is how tests reach the out-of-memory paths.
 */
#pragma once

#include <stddef.h>

#include "waypost/base/check.h"

enum pool_class { POOL_SMALL, POOL_LARGE, POOL_HUGE, POOL_CLASSES };

struct pool {
    struct pool_block *free[POOL_CLASSES]; /* owned */
    unsigned kept[POOL_CLASSES];           /* blocks on each free list */
    unsigned taken[POOL_CLASSES];          /* blocks in use */
    long fail_after;                       /* -1 never; else that many takes succeed */
};

void pool_init(struct pool *pool);
/* Requires that every block was given back. */
void pool_fini(struct pool *pool);
/* A block of at least `want` bytes; its true size goes to *size. NULL when memory is short. */
MUST_USE
char *pool_take(struct pool *pool, size_t want, size_t *size);
/* `size` is what pool_take said. */
void pool_give(struct pool *pool, char *block, size_t size);
/* The size of block that pool_take(want) would return. */
size_t pool_size_for(size_t want);
/* Returns all kept blocks to malloc: called when the number of sessions has fallen. */
void pool_trim(struct pool *pool);
