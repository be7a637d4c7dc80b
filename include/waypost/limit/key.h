/*
 * What is counted, as a number that nobody can choose: SipHash-2-4 (Aumasson and Bernstein, 2012)
 * under a random key, so that no stranger can make entries of a table collide, and nobody who reads
 * a table can tell a password. IPv6 addresses count by their first 64 bits.
 */
#pragma once

#include <stdint.h>

#include "waypost/base/addr.h"
#include "waypost/base/slice.h"

#define LIMIT_KEY_SIZE 16u

struct limit_keys {
    uint64_t k[2];
};

/* From random bytes. */
struct limit_keys limit_keys_from(const unsigned char bytes[LIMIT_KEY_SIZE]);
uint64_t limit_hash(const struct limit_keys *keys, struct slice bytes);

/* Keys of tables; those of different kinds never meet by design, only by chance (2^-64). */
uint64_t limit_key_address(const struct limit_keys *keys, const struct addr *address);
uint64_t limit_key_user(const struct limit_keys *keys, struct slice user);
uint64_t limit_key_both(const struct limit_keys *keys, uint64_t user, uint64_t address);
/* Stands for a user and a secret. The secret cannot be found from it without the keys. */
uint64_t limit_fingerprint(const struct limit_keys *keys, struct slice user, struct slice secret);
