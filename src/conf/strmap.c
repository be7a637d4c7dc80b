/*
 * The map behind user names and positions. Owns its arena and its slots; borrows the texts it is
 * given only for the length of a call. Never aborts for want of memory: a users file may be huge.
 */
#include "conf/strmap.h"

#include <stdlib.h>
#include <xxhash.h>

#define FIRST_SLOTS 16u
#define FIRST_ARENA 512u

/* `at` is the entry's offset plus one, 0 in an empty slot. The slot index is the low bits of
 * `hash`, so the table grows without looking at the entries. */
struct strmap_slot {
    uint32_t at, hash;
};

/* What precedes the bytes of key and extra in the arena, unaligned. */
struct entry {
    uint32_t value;
    uint16_t key_len, extra_len;
};

void strmap_init(struct strmap *map, uint64_t seed)
{
    *map = (struct strmap){.seed = seed};
}

void strmap_fini(struct strmap *map)
{
    free(map->arena);
    free(map->slots);
    strmap_init(map, map->seed);
}

static uint32_t hash_of(const struct strmap *map, struct slice key)
{
    return (uint32_t)XXH3_64bits_withSeed(key.ptr, key.len, map->seed);
}

static struct entry entry_at(const struct strmap *map, size_t offset)
{
    struct entry e;
    memcpy(&e, map->arena + offset, sizeof(e));
    return e;
}

static struct slice key_at(const struct strmap *map, size_t offset)
{
    struct entry e = entry_at(map, offset);
    return slice_of(map->arena + offset + sizeof(e), e.key_len);
}

/* The slot that holds `key`, or the empty one where it belongs. Terminates because a quarter of
 * the slots is empty. */
static struct strmap_slot *slot_for(const struct strmap *map, struct slice key, uint32_t hash)
{
    size_t mask = map->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct strmap_slot *slot = &map->slots[i];
        if (slot->at == 0 || (slot->hash == hash && slice_eq(key_at(map, slot->at - 1), key)))
            return slot;
    }
}

static bool grow_slots(struct strmap *map)
{
    size_t count = map->slot_count == 0 ? FIRST_SLOTS : map->slot_count * 2;
    struct strmap_slot *slots = calloc(count, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < map->slot_count; i++) {
        size_t to = map->slots[i].hash & (count - 1);
        if (map->slots[i].at == 0)
            continue;
        while (slots[to].at != 0)
            to = (to + 1) & (count - 1);
        slots[to] = map->slots[i];
    }
    free(map->slots);
    map->slots = slots;
    map->slot_count = count;
    return true;
}

static bool grow_arena(struct strmap *map, size_t more)
{
    size_t size = map->size == 0 ? FIRST_ARENA : map->size;

    while (size - map->used < more)
        size += size / 2;
    if (size >= UINT32_MAX)
        return false;
    if (size == map->size)
        return true;
    char *arena = realloc(map->arena, size);
    if (arena == NULL)
        return false;
    map->arena = arena;
    map->size = size;
    return true;
}

static void append(struct strmap *map, struct slice bytes)
{
    if (bytes.len > 0)
        memcpy(map->arena + map->used, bytes.ptr, bytes.len);
    map->used += bytes.len;
}

enum strmap_result strmap_add(struct strmap *map, struct slice key, struct slice extra,
                              uint32_t value)
{
    struct entry e = {value, (uint16_t)key.len, (uint16_t)extra.len};

    if (key.len > UINT16_MAX || extra.len > UINT16_MAX)
        return STRMAP_FULL;
    if (map->count >= map->slot_count / 4 * 3 && !grow_slots(map))
        return STRMAP_FULL;
    uint32_t hash = hash_of(map, key);
    struct strmap_slot *slot = slot_for(map, key, hash);
    if (slot->at != 0)
        return STRMAP_TAKEN;
    if (!grow_arena(map, sizeof(e) + key.len + extra.len))
        return STRMAP_FULL;
    *slot = (struct strmap_slot){(uint32_t)map->used + 1, hash};
    append(map, slice_of(&e, sizeof(e)));
    append(map, key);
    append(map, extra);
    map->count++;
    return STRMAP_ADDED;
}

bool strmap_find(const struct strmap *map, struct slice key, struct strmap_hit *out)
{
    if (map->count == 0)
        return false;
    const struct strmap_slot *slot = slot_for(map, key, hash_of(map, key));
    if (slot->at == 0)
        return false;
    struct entry e = entry_at(map, slot->at - 1);
    const char *bytes = map->arena + slot->at - 1 + sizeof(e);
    *out = (struct strmap_hit){e.value, slice_of(bytes + e.key_len, e.extra_len)};
    return true;
}

void strmap_trim(struct strmap *map)
{
    char *arena = map->used == 0 ? NULL : realloc(map->arena, map->used);
    if (arena == NULL)
        return;
    map->arena = arena;
    map->size = map->used;
}
