/*
 * Small allocations of the loader. They abort when memory is gone, because a proxy that cannot
 * spare a few kilobytes cannot serve either; what grows with the number of users (conf/strmap)
 * reports instead.
 */
#pragma once

#include <stdlib.h>

#include "waypost/base/check.h"
#include "waypost/base/slice.h"

/* Zeroed; count may be 0. */
static inline void *memory_new(size_t count, size_t size)
{
    void *p = calloc(count == 0 ? 1 : count, size);
    ENSURE(p != NULL);
    return p;
}

/* realloc of an array that grows one by one; the new tail is not zeroed. */
static inline void *memory_grow(void *array, size_t count, size_t size)
{
    /* Only at powers of two is there something to do. */
    if ((count & (count - 1)) != 0 && array != NULL)
        return array;
    void *p = reallocarray(array, count * 2, size);
    ENSURE(p != NULL);
    return p;
}

/* A NUL-terminated copy. */
static inline char *memory_text(struct slice s)
{
    char *p = memory_new(s.len + 1, 1);
    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    return p;
}
