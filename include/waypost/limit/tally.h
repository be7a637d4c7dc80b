/*
 * Counts of what is open now, and how often somebody tried lately. A count is a reference: whoever
 * was counted gives it back. When the table holds nothing but live counts, further ones are not
 * kept, and nobody is refused for that.
 */
#pragma once

#include "waypost/limit/table.h"

#define TALLY_MINUTE UINT64_C(60000) /* ms */

/* What is counted under one key. */
enum tally_kind { TALLY_EARLY, TALLY_OPEN, TALLY_KINDS };

enum tally_verdict {
    TALLY_COUNTED,
    TALLY_REFUSED,  /* `max` of them are open */
    TALLY_UNTRACKED /* allowed, but not counted: there is no room */
};

struct tallies {
    struct limit_table table;
};

/* False when memory is short. */
MUST_USE
bool tallies_init(struct tallies *t, uint32_t room);
void tallies_fini(struct tallies *t);
/* Counts one more unless there are `max`, 0 meaning any number. TALLY_COUNTED: *position is to be
 * given to tally_leave once; otherwise it is 0, which tally_leave ignores. */
enum tally_verdict tally_enter(struct tallies *t, uint64_t key, enum tally_kind kind, unsigned max,
                               uint64_t now, uint32_t *position);
void tally_leave(struct tallies *t, uint32_t *position, enum tally_kind kind, uint64_t now);
/* One attempt; false, and it does not count, when there were `max` within a minute. 0 is any
 * number, and leaves no trace. */
bool tally_attempt(struct tallies *t, uint64_t key, unsigned max, uint64_t now);
