/*
 * Shares of users by hashing: members of pools, and percentages. The same user has the same answer
 * on every machine, in every release and after every restart: what this header promises may not
 * change, because each change would move users away from their mail. All arithmetic is on
 * integers. XXH3 is XXH3_64bits_withSeed of libxxhash, over bytes without a terminator:
 *
 *     seed(purpose, name)     = XXH3(name, purpose)
 *     hash(purpose, name, u)  = XXH3(u, seed(purpose, name))
 *     percent bucket of u     = (hash(1, salt, u) >> 32) * 100 >> 32, which is 0..99
 *     distance of u to member = hash_log2(hash(0, backend name, u))
 *     score of a member       = distance * 2^32 / weight, rounded down; the lowest is the first
 *
 * u is the normalised user name. -log2 of a uniform number is exponentially distributed, so each
 * member is first for its share of the users (weighted rendezvous hashing): a new member takes
 * users from all others and moves nobody else, and one that is gone leaves each of its users to
 * the second on his own list. Members of weight 0 come behind all others, in order of distance.
 */
#pragma once

#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/base/slice.h"
#include "waypost/conf/conf.h"

enum hash_purpose { HASH_MEMBER = 0, HASH_PERCENT = 1 };

uint64_t hash_user(enum hash_purpose purpose, struct slice name, struct slice user);
/* -log2(hash / 2^64) in units of 2^-24, rounded up, at most 2^30: made of the 32 leading bits from
 * the highest that is set, by squaring, as the code says to the last bit. */
uint32_t hash_log2(uint64_t hash);
/* 0..99; a user is among the first p percent when it is below p, so a larger p only adds users. */
unsigned hash_percent(struct slice salt, struct slice user);

struct hash_place {
    const struct conf_member *member;
    uint64_t score; /* the lowest comes first; HASH_RESERVE is added for weight 0 */
};
#define HASH_RESERVE ((uint64_t)1 << 63)

/* How many sessions a backend has now. */
struct hash_load {
    uint64_t (*sessions)(void *ctx, const struct conf_backend *backend);
    void *ctx; /* borrowed */
};

/* The members of `pool` in the order in which this user tries them, at most LIMIT_CANDIDATES.
 * `turn` counts logins: CONF_CHOOSE_ROUND_ROBIN goes by it, and CONF_CHOOSE_LEAST_SESSIONS where
 * members are equal. `load` matters to the latter only; NULL: all have none. Returns how many there
 * are. */
size_t hash_order(const struct conf_pool *pool, struct slice user, uint64_t turn,
                  const struct hash_load *load, struct hash_place out[LIMIT_CANDIDATES]);
