/*
 * A table that never grows. Its entries are found by a keyed hash (limit/key.h), which is also all
 * that identifies them. An entry that is held stays where it is; one that is not is idle, and the
 * longest idle make room when the table is full.
 */
#pragma once

#include "waypost/base/check.h"

#include <stdint.h>

/* What begins each entry. Private to limit/table.c but for `held`. */
struct limit_entry {
    uint64_t key;
    uint64_t touched;            /* ms; when it became idle */
    uint32_t next, older, newer; /* positions; 0 is none */
    uint32_t held;               /* by how many; 0: idle */
};

struct limit_table {
    char *entries;     /* owned; position 0 is never used */
    uint32_t *buckets; /* owned; first positions of chains */
    size_t stride;     /* bytes of an entry */
    uint64_t lifetime; /* ms; idle entries are forgotten after that */
    uint32_t room;     /* entries there may be */
    uint32_t mask;     /* buckets - 1 */
    uint32_t fresh;    /* positions from here on were never used */
    uint32_t free;     /* first of those that were given back */
    uint32_t count;
    uint32_t oldest, newest; /* of the idle */
};

/* Entries to make room for: so many as are wanted, within these bounds. */
static inline uint32_t limit_table_room(uint64_t wanted, uint32_t least, uint32_t most)
{
    uint64_t room = wanted < least ? least : wanted;

    return room > most ? most : (uint32_t)room;
}

/* `stride` is the size of a struct that begins with a struct limit_entry. Memory is touched only as
 * it is used. False when there is none. */
MUST_USE
bool limit_table_init(struct limit_table *t, size_t stride, uint32_t room, uint64_t lifetime);
/* Wipes all entries. */
void limit_table_fini(struct limit_table *t);
/* The entry, or NULL. It stays valid until the table is asked for another. */
void *limit_table_find(struct limit_table *t, uint64_t key);
/* The entry, found or new and zeroed but for its head. NULL when all entries are held. */
void *limit_table_get(struct limit_table *t, uint64_t key, uint64_t now);
/* An idle entry lives on for `lifetime` from now. */
void limit_table_touch(struct limit_table *t, void *what, uint64_t now);
/* While held an entry keeps its position, by which limit_table_at finds it. */
void limit_table_hold(struct limit_table *t, void *what);
void limit_table_release(struct limit_table *t, void *what, uint64_t now);
uint32_t limit_table_position(const struct limit_table *t, const void *entry);
void *limit_table_at(const struct limit_table *t, uint32_t position);
/* Wipes an idle entry. */
void limit_table_forget(struct limit_table *t, void *what);
