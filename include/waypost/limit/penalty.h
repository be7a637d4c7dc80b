/*
 * How often logins from an address were wrong lately. The same secret for the same user is wrong
 * once, however often it is tried: a telephone with an old password is nobody's attack. Secrets are
 * known by their fingerprints only (limit/key.h), which are wiped with the entry.
 */
#pragma once

#include "waypost/limit/table.h"

/* Quiet for so long, and all is forgotten. */
#define PENALTY_MEMORY       UINT64_C(600000) /* ms */
#define PENALTY_FINGERPRINTS 8u

struct penalties {
    struct limit_table table;
};

/* False when memory is short. */
MUST_USE
bool penalties_init(struct penalties *p, uint32_t room);
void penalties_fini(struct penalties *p);
/* A login was wrong. Returns how many different ones were by now, 1 or more. `fingerprint` is NULL
 * when there is no secret to compare; then it always counts. */
unsigned penalty_add(struct penalties *p, uint64_t address, const uint64_t *fingerprint,
                     uint64_t now);
/* A login was right. */
void penalty_clear(struct penalties *p, uint64_t address);
/* The delay after `failures`: `first`, doubled for each further one up to `max`; ms. */
uint64_t penalty_delay(uint64_t first, uint64_t max, unsigned failures);
