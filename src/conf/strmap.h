/*
 * A compact map from text to a number and some more text, for a million user names: one arena that
 * holds the entries, one open-addressing table of 32-bit offsets into it. Entries are never
 * removed. The hash is keyed, so that names cannot be chosen to collide.
 */
#pragma once

#include <stdint.h>

#include "waypost/base/check.h"
#include "waypost/base/slice.h"

struct strmap {
    uint64_t seed;
    char *arena; /* owned: entries back to back */
    size_t used, size;
    struct strmap_slot *slots; /* owned; their number is 0 or a power of two */
    size_t slot_count, count;
};

enum strmap_result {
    STRMAP_ADDED,
    STRMAP_TAKEN, /* the key is there already; nothing was changed */
    STRMAP_FULL   /* memory is short, the arena exceeds 4 GiB or a text 65535 bytes */
};

struct strmap_hit {
    uint32_t value;
    struct slice extra; /* borrowed from the map, valid until the next add */
};

void strmap_init(struct strmap *map, uint64_t seed);
void strmap_fini(struct strmap *map);
/* Both texts are copied. */
MUST_USE
enum strmap_result strmap_add(struct strmap *map, struct slice key, struct slice extra,
                              uint32_t value);
MUST_USE
bool strmap_find(const struct strmap *map, struct slice key, struct strmap_hit *out);
/* Gives spare room back once everything has been added. */
void strmap_trim(struct strmap *map);
