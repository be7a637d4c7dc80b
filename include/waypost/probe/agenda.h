/*
 * Which backend is looked at when: a queue by due time. Backends are numbers, time is milliseconds,
 * randomness is an argument. Adding and taking cost the logarithm of how many there are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waypost/base/check.h"

#define AGENDA_NEVER UINT64_MAX
/* Between two looks at a backend that fails, or is about to be believed again. */
#define AGENDA_HURRY UINT64_C(2000)

struct agenda {
    struct agenda_entry {
        uint64_t due;
        size_t index;
    } * heap; /* owned; no entry is due before its parent, which is at half its place */
    size_t count, room;
};

/* Room for so many. False when memory is short. */
MUST_USE
bool agenda_init(struct agenda *a, size_t room);
void agenda_fini(struct agenda *a);
/* Requires room. */
void agenda_add(struct agenda *a, size_t index, uint64_t due);
/* When the next one is due; AGENDA_NEVER when there is none. */
uint64_t agenda_due(const struct agenda *a);
/* Takes out the one that has been due for longest. False when none is. */
MUST_USE
bool agenda_take(struct agenda *a, uint64_t now, size_t *index);
/* Makes all that are `urgent` due at `now`, unless they are already. */
void agenda_hurry(struct agenda *a, bool (*urgent)(void *ctx, size_t index), void *ctx,
                  uint64_t now);
/* The time to the next look, a tenth more or less by any random number, so that many proxies before
 * one backend do not fall into step. */
uint64_t agenda_pause(uint64_t interval, bool unsettled, uint32_t random);
