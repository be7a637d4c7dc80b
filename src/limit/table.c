/*
 * The bounded table of limit/table.h: chains in a fixed array, and a ring of the idle entries by
 * age. Owns its memory; borrows nothing. Never grows, never moves an entry, never drops one that is
 * held. Whatever it drops is wiped.
 */
#include "waypost/limit/table.h"

#include <stdlib.h>
#include <string.h>

/* Entries that may be forgotten for their age at each new one: more than come in, so that a crowd
 * that has left is gone soon, and few, so that nobody waits for it. */
#define SWEEP 2u

static struct limit_entry *at(const struct limit_table *t, uint32_t position)
{
    return (struct limit_entry *)(void *)(t->entries + position * t->stride);
}

static uint32_t position_of(const struct limit_table *t, const struct limit_entry *entry)
{
    return (uint32_t)((size_t)((const char *)entry - t->entries) / t->stride);
}

static uint32_t *bucket_of(struct limit_table *t, uint64_t key)
{
    return &t->buckets[key & t->mask];
}

bool limit_table_init(struct limit_table *t, size_t stride, uint32_t room, uint64_t lifetime)
{
    uint32_t buckets = 1;

    REQUIRE(stride >= sizeof(struct limit_entry));
    REQUIRE(room > 0 && room < UINT32_MAX / 2);
    while (buckets < room)
        buckets *= 2;
    *t = (struct limit_table){
        .stride = stride, .lifetime = lifetime, .room = room, .mask = buckets - 1, .fresh = 1};
    t->entries = calloc((size_t)room + 1, stride);
    t->buckets = calloc(buckets, sizeof(*t->buckets));
    if (t->entries != NULL && t->buckets != NULL)
        return true;
    free(t->entries);
    free(t->buckets);
    return false;
}

void limit_table_fini(struct limit_table *t)
{
    explicit_bzero(t->entries, t->fresh * t->stride);
    free(t->entries);
    free(t->buckets);
}

/* --- the ring of the idle --------------------------------------------------------------------- */

static void ring_append(struct limit_table *t, struct limit_entry *entry, uint64_t now)
{
    uint32_t position = position_of(t, entry);

    /* Clocks of several threads differ a little; the ring's order must not. */
    if (t->newest != 0 && at(t, t->newest)->touched > now)
        now = at(t, t->newest)->touched;
    entry->touched = now;
    entry->older = t->newest;
    entry->newer = 0;
    if (t->newest != 0)
        at(t, t->newest)->newer = position;
    else
        t->oldest = position;
    t->newest = position;
}

static void ring_remove(struct limit_table *t, struct limit_entry *entry)
{
    if (entry->older != 0)
        at(t, entry->older)->newer = entry->newer;
    else
        t->oldest = entry->newer;
    if (entry->newer != 0)
        at(t, entry->newer)->older = entry->older;
    else
        t->newest = entry->older;
}

/* --- finding and making ------------------------------------------------------------------------
 */

void *limit_table_find(struct limit_table *t, uint64_t key)
{
    uint32_t position = *bucket_of(t, key);

    while (position != 0 && at(t, position)->key != key)
        position = at(t, position)->next;
    return position == 0 ? NULL : at(t, position);
}

void limit_table_forget(struct limit_table *t, void *what)
{
    struct limit_entry *entry = what;
    uint32_t position = position_of(t, entry);
    uint32_t *link = bucket_of(t, entry->key);

    REQUIRE(entry->held == 0);
    while (*link != position)
        link = &at(t, *link)->next;
    *link = entry->next;
    ring_remove(t, entry);
    explicit_bzero(entry, t->stride);
    entry->next = t->free;
    t->free = position;
    t->count--;
}

/* Those that have been idle for too long, a few at a time. */
static void sweep(struct limit_table *t, uint64_t now)
{
    for (unsigned i = 0; i < SWEEP && t->oldest != 0; i++) {
        struct limit_entry *entry = at(t, t->oldest);
        if (entry->touched > now || now - entry->touched < t->lifetime)
            return;
        limit_table_forget(t, entry);
    }
}

/* A position to use, 0 when all are held. */
static uint32_t find_room(struct limit_table *t)
{
    uint32_t position;

    if (t->count == t->room) {
        if (t->oldest == 0)
            return 0;
        limit_table_forget(t, at(t, t->oldest));
    }
    if (t->free == 0)
        return t->fresh++;
    position = t->free;
    t->free = at(t, position)->next;
    return position;
}

void *limit_table_get(struct limit_table *t, uint64_t key, uint64_t now)
{
    struct limit_entry *entry;
    uint32_t position;

    sweep(t, now);
    entry = limit_table_find(t, key);
    if (entry != NULL)
        return entry;
    position = find_room(t);
    if (position == 0)
        return NULL;
    entry = at(t, position);
    *entry = (struct limit_entry){.key = key, .next = *bucket_of(t, key)};
    *bucket_of(t, key) = position;
    t->count++;
    ring_append(t, entry, now);
    return entry;
}

/* --- holding -----------------------------------------------------------------------------------
 */

void limit_table_touch(struct limit_table *t, void *what, uint64_t now)
{
    struct limit_entry *entry = what;

    if (entry->held > 0)
        return;
    ring_remove(t, entry);
    ring_append(t, entry, now);
}

void limit_table_hold(struct limit_table *t, void *what)
{
    struct limit_entry *entry = what;

    if (entry->held++ == 0)
        ring_remove(t, entry);
}

void limit_table_release(struct limit_table *t, void *what, uint64_t now)
{
    struct limit_entry *entry = what;

    REQUIRE(entry->held > 0);
    if (--entry->held == 0)
        ring_append(t, entry, now);
}

uint32_t limit_table_position(const struct limit_table *t, const void *entry)
{
    return position_of(t, entry);
}

void *limit_table_at(const struct limit_table *t, uint32_t position)
{
    REQUIRE(position > 0 && position < t->fresh);
    return at(t, position);
}
