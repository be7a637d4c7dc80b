/*
 * Counts of what is open now, and how often somebody tried lately. A count is a reference: whoever
 * was counted gives it back. When the table holds nothing but live counts, further ones are not
 * kept, and nobody is refused for that.
 */
#pragma once

#include "waypost/limit/table.h"

#define CROWD_MINUTE UINT64_C(60000) /* ms */

/* What is counted under one key. */
enum crowd_kind { CROWD_EARLY, CROWD_OPEN, CROWD_KINDS };

enum crowd_verdict {
    CROWD_COUNTED,
    CROWD_REFUSED,  /* `max` of them are open */
    CROWD_UNTRACKED /* allowed, but not counted: there is no room */
};

struct crowd {
    struct limit_table table;
};

/* False when memory is short. */
MUST_USE
bool crowd_init(struct crowd *t, uint32_t room);
void crowd_fini(struct crowd *t);
/* Counts one more unless there are `max`, 0 meaning any number. CROWD_COUNTED: *position is to be
 * given to crowd_leave once; otherwise it is 0, which crowd_leave ignores. */
enum crowd_verdict crowd_enter(struct crowd *t, uint64_t key, enum crowd_kind kind, unsigned max,
                               uint64_t now, uint32_t *position);
void crowd_leave(struct crowd *t, uint32_t *position, enum crowd_kind kind, uint64_t now);
/* One attempt; false, and it does not count, when there were `max` within a minute. 0 is any
 * number, and leaves no trace. */
bool crowd_attempt(struct crowd *t, uint64_t key, unsigned max, uint64_t now);
