/*
 * SipHash-2-4 and the keys made with it. Owns nothing and keeps nothing; the caller brings the
 * randomness.
 */
#include "waypost/limit/key.h"

#include "waypost/base/check.h"

enum key_kind { KIND_ADDRESS, KIND_USER, KIND_BOTH, KIND_SECRET };

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

/* Little-endian, up to eight bytes. */
static uint64_t word_at(struct slice bytes)
{
    uint64_t word = 0;

    for (size_t i = 0; i < bytes.len && i < 8; i++)
        word |= (uint64_t)(unsigned char)bytes.ptr[i] << 8 * i;
    return word;
}

uint64_t limit_hash(const struct limit_keys *keys, struct slice bytes)
{
    uint64_t length = (uint64_t)bytes.len << 56;
    struct sip s = {
        keys->k[0] ^ UINT64_C(0x736f6d6570736575),
        keys->k[1] ^ UINT64_C(0x646f72616e646f6d),
        keys->k[0] ^ UINT64_C(0x6c7967656e657261),
        keys->k[1] ^ UINT64_C(0x7465646279746573),
    };

    for (; bytes.len >= 8; bytes = slice_skip(bytes, 8))
        sip_word(&s, word_at(bytes));
    sip_word(&s, word_at(bytes) | length);
    s.v2 ^= 0xFF;
    for (unsigned i = 0; i < 4; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct limit_keys limit_keys_from(const unsigned char bytes[LIMIT_KEY_SIZE])
{
    return (struct limit_keys){{word_at(slice_of(bytes, 8)), word_at(slice_of(bytes + 8, 8))}};
}

/* The keys of one kind of things, so that a user named like an address is something else. */
static struct limit_keys keys_of(const struct limit_keys *keys, enum key_kind kind)
{
    return (struct limit_keys){{keys->k[0] ^ (uint64_t)kind, keys->k[1]}};
}

uint64_t limit_key_address(const struct limit_keys *keys, const struct addr *address)
{
    struct limit_keys own = keys_of(keys, KIND_ADDRESS);

    return limit_hash(&own, slice_of(address->ip, addr_is_v4(address) ? 16 : 8));
}

uint64_t limit_key_user(const struct limit_keys *keys, struct slice user)
{
    struct limit_keys own = keys_of(keys, KIND_USER);

    return limit_hash(&own, user);
}

uint64_t limit_key_both(const struct limit_keys *keys, uint64_t user, uint64_t address)
{
    struct limit_keys own = keys_of(keys, KIND_BOTH);
    uint64_t both[2] = {user, address};

    return limit_hash(&own, slice_of(both, sizeof(both)));
}

uint64_t limit_fingerprint(const struct limit_keys *keys, struct slice user, struct slice secret)
{
    struct limit_keys own = keys_of(keys, KIND_SECRET);

    /* A key of its own for each user: nothing of the secret is ever put beside the name. */
    own.k[1] ^= limit_hash(&own, user);
    return limit_hash(&own, secret);
}
