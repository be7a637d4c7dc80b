/*
 * The hash functions that place users: weighted rendezvous, percentages, taking turns. Owns
 * nothing, keeps nothing, and knows no floating point, so that all machines agree. Weighted
 * rendezvous hashing: Schindelhauer and Schomaker, Weighted distributed hash tables, SPAA 2005.
 */
#include "waypost/route/hash.h"

#include <xxhash.h>

#define FRACTION_BITS 24u

uint64_t hash_user(enum hash_purpose purpose, struct slice name, struct slice user)
{
    uint64_t seed = XXH3_64bits_withSeed(name.ptr, name.len, (uint64_t)purpose);
    return XXH3_64bits_withSeed(user.ptr, user.len, seed);
}

/* Squaring doubles a logarithm, so what it carries past 2 is the next binary digit. */
uint32_t hash_log2(uint64_t hash)
{
    uint32_t whole = 0, fraction = 0;

    if (hash == 0)
        return 64u << FRACTION_BITS;
    for (; hash >> 63 == 0; hash <<= 1)
        whole++;
    uint64_t x = hash >> 32; /* 1.0 to below 2.0, in units of 2^-31 */
    for (unsigned i = 0; i < FRACTION_BITS; i++) {
        x = x * x >> 31;
        fraction = fraction << 1 | (uint32_t)(x >> 32);
        x >>= x >> 32;
    }
    return ((whole + 1) << FRACTION_BITS) - fraction;
}

unsigned hash_percent(struct slice salt, struct slice user)
{
    return (unsigned)((hash_user(HASH_PERCENT, salt, user) >> 32) * 100 >> 32);
}

/* ----- taking turns ------------------------------------------------------------------------- */

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Whose turn it is. A round has as many turns as the weights, reduced, add up to; steps of about
 * the golden ratio of a round visit each turn once and never one member many times in a row. */
static size_t on_turn(const struct conf_pool *pool, uint64_t turn)
{
    uint64_t unit = 0, round = 0, at;
    size_t i = 0;

    for (size_t m = 0; m < pool->member_count; m++) {
        unit = gcd(unit, pool->members[m].weight);
        round += pool->members[m].weight;
    }
    if (round == 0)
        return 0;
    round /= unit;
    uint64_t stride = round * 618 / 1000 + 1;
    while (gcd(stride, round) != 1)
        stride++;
    at = turn % round * stride % round;
    while (at >= pool->members[i].weight / unit)
        at -= pool->members[i++].weight / unit;
    return i;
}

/* ----- order -------------------------------------------------------------------------------- */

/* What an order is made from. */
struct order {
    const struct conf_pool *pool;
    struct slice user;
    size_t first; /* position of the member whose turn it is */
    const struct hash_load *load;
};

/* Sessions for each unit of weight with one more, so that an empty member of weight 2 comes before
 * an empty one of weight 1; equals take turns. */
static uint64_t crowding(const struct order *o, size_t i, size_t turn)
{
    const struct conf_member *member = &o->pool->members[i];
    uint64_t sessions = o->load == NULL ? 0 : o->load->sessions(o->load->ctx, member->backend);
    uint64_t weight = member->weight == 0 ? 1 : member->weight;

    return ((sessions + 1) << 16) / weight * o->pool->member_count + turn;
}

static uint64_t score_of(const struct order *o, size_t i)
{
    const struct conf_pool *pool = o->pool;
    const struct conf_member *member = &pool->members[i];
    uint64_t reserve = member->weight == 0 ? HASH_RESERVE : 0;
    size_t turn = (i + pool->member_count - o->first) % pool->member_count;

    if (pool->choose == CONF_CHOOSE_USER_HASH) {
        uint64_t distance = hash_log2(hash_user(HASH_MEMBER, slice_str(member->name), o->user));
        return reserve + (distance << 32) / (member->weight == 0 ? 1 : member->weight);
    }
    return reserve + (pool->choose == CONF_CHOOSE_LEAST_SESSIONS ? crowding(o, i, turn) : turn);
}

static bool comes_before(const struct hash_place *a, const struct hash_place *b)
{
    if (a->score != b->score)
        return a->score < b->score;
    return strcmp(a->member->name, b->member->name) < 0;
}

/* Keeps the best in order; what falls off the end is forgotten. */
static void insert(struct hash_place *list, size_t *count, struct hash_place place)
{
    size_t at = *count;

    while (at > 0 && comes_before(&place, &list[at - 1]))
        at--;
    if (at == LIMIT_CANDIDATES)
        return;
    if (*count < LIMIT_CANDIDATES)
        ++*count;
    memmove(list + at + 1, list + at, (*count - at - 1) * sizeof(*list));
    list[at] = place;
}

size_t hash_order(const struct conf_pool *pool, struct slice user, uint64_t turn,
                  const struct hash_load *load, struct hash_place out[LIMIT_CANDIDATES])
{
    bool turns =
        pool->choose == CONF_CHOOSE_ROUND_ROBIN || pool->choose == CONF_CHOOSE_LEAST_SESSIONS;
    struct order o = {pool, user, turns ? on_turn(pool, turn) : 0, load};
    size_t count = 0;

    for (size_t i = 0; i < pool->member_count; i++)
        insert(out, &count, (struct hash_place){&pool->members[i], score_of(&o, i)});
    return count;
}
