/*
 * The model of limit_model.h. Owns tables and model for the length of one run. While there is room
 * for every key both must agree exactly; in a table that is too small nobody may be refused or
 * punished more than in the model, and counts of what is open must be exact all the same.
 */
#include "support/limit_model.h"

#include <string.h>

#include "waypost/limit/crowd.h"
#include "waypost/limit/penalty.h"

#define KEYS  12u
#define LIVE  64u
#define MAX   3u
#define MARKS 16u

struct live {
    uint32_t position; /* 0: not in use, or untracked */
    unsigned key;
    enum crowd_kind kind;
};

struct model {
    struct crowd crowd;
    struct penalties penalties;
    uint32_t room;
    uint64_t now;
    unsigned open[KEYS][CROWD_KINDS]; /* tracked ones */
    struct live live[LIVE];
    struct {
        uint64_t minute;
        unsigned attempts, before;
    } rate[KEYS];
    struct {
        uint64_t last;
        unsigned failures, mark_count;
        unsigned marks[MARKS]; /* newest last */
    } wrong[KEYS];
};

static uint64_t key_of(unsigned key)
{
    return key * UINT64_C(0x9E3779B97F4A7C15); /* some share a bucket */
}

static bool is_open(const struct model *m, unsigned key)
{
    return m->open[key][CROWD_EARLY] + m->open[key][CROWD_OPEN] > 0;
}

static uint32_t open_keys(const struct model *m)
{
    uint32_t n = 0;

    for (unsigned key = 0; key < KEYS; key++)
        n += is_open(m, key);
    return n;
}

static void enter(struct model *m, unsigned key, enum crowd_kind kind, unsigned max, struct live *l)
{
    bool full = !is_open(m, key) && open_keys(m) == m->room;
    enum crowd_verdict verdict;

    if (l->position != 0)
        return;
    verdict = crowd_enter(&m->crowd, key_of(key), kind, max, m->now, &l->position);
    if (max > 0 && m->open[key][kind] >= max) {
        ENSURE(verdict == CROWD_REFUSED && l->position == 0);
    } else if (full) {
        ENSURE(verdict == CROWD_UNTRACKED && l->position == 0);
    } else {
        ENSURE(verdict == CROWD_COUNTED && l->position != 0);
        m->open[key][kind]++;
        l->key = key;
        l->kind = kind;
    }
}

static void leave(struct model *m, struct live *l)
{
    if (l->position != 0)
        m->open[l->key][l->kind]--;
    crowd_leave(&m->crowd, &l->position, l->kind, m->now);
    ENSURE(l->position == 0);
}

static unsigned lately(const struct model *m, unsigned key)
{
    uint64_t minute = m->now / CROWD_MINUTE, passed = m->now % CROWD_MINUTE;

    if (m->rate[key].minute + 1 == minute)
        return (unsigned)(m->rate[key].attempts * (CROWD_MINUTE - passed) / CROWD_MINUTE);
    if (m->rate[key].minute != minute)
        return 0;
    return m->rate[key].attempts +
           (unsigned)(m->rate[key].before * (CROWD_MINUTE - passed) / CROWD_MINUTE);
}

static void attempt(struct model *m, unsigned key, unsigned max)
{
    uint64_t minute = m->now / CROWD_MINUTE;
    bool exact = m->room >= KEYS;
    bool allowed = crowd_attempt(&m->crowd, key_of(key), max, m->now);

    ENSURE(allowed || (max > 0 && lately(m, key) >= max));
    ENSURE(!exact || !allowed || max == 0 || lately(m, key) < max);
    if (!allowed || max == 0)
        return;
    if (m->rate[key].minute != minute) {
        m->rate[key].before = m->rate[key].minute + 1 == minute ? m->rate[key].attempts : 0;
        m->rate[key].attempts = 0;
        m->rate[key].minute = minute;
    }
    m->rate[key].attempts++;
}

static bool marked(struct model *m, unsigned key, unsigned mark)
{
    unsigned count = m->wrong[key].mark_count;

    for (unsigned i = count > PENALTY_FINGERPRINTS ? count - PENALTY_FINGERPRINTS : 0; i < count;
         i++) {
        if (m->wrong[key].marks[i] == mark)
            return true;
    }
    return false;
}

static void mark_wrong(struct model *m, unsigned key, unsigned mark)
{
    unsigned *marks = m->wrong[key].marks;

    if (m->wrong[key].mark_count == MARKS) {
        memmove(marks, marks + 1, (MARKS - 1) * sizeof(*marks));
        m->wrong[key].mark_count--;
    }
    marks[m->wrong[key].mark_count++] = mark;
}

/* Mark 0 is a login without a secret. */
static void fail(struct model *m, unsigned key, unsigned mark)
{
    uint64_t fingerprint = key_of(mark);
    bool exact = m->room >= KEYS;
    unsigned failures;

    if (m->now - m->wrong[key].last >= PENALTY_MEMORY)
        m->wrong[key].failures = m->wrong[key].mark_count = 0;
    m->wrong[key].last = m->now;
    if (mark == 0 || !marked(m, key, mark)) {
        m->wrong[key].failures++;
        if (mark != 0)
            mark_wrong(m, key, mark);
    }
    failures = penalty_add(&m->penalties, key_of(key), mark == 0 ? NULL : &fingerprint, m->now);
    ENSURE(failures >= 1 && (!exact || failures == m->wrong[key].failures));
}

static void forgive(struct model *m, unsigned key)
{
    penalty_clear(&m->penalties, key_of(key));
    m->wrong[key].failures = m->wrong[key].mark_count = 0;
}

static void operate(struct model *m, unsigned op, unsigned arg)
{
    unsigned key = arg % KEYS;

    switch (op % 8) {
    case 0:
    case 1:
        enter(m, key, op % 2 == 0 ? CROWD_EARLY : CROWD_OPEN, op / 8 % (MAX + 1),
              &m->live[(op / 8 + arg) % LIVE]);
        break;
    case 2:
        leave(m, &m->live[arg % LIVE]);
        break;
    case 3:
        attempt(m, key, op / 8 % (2 * MAX));
        break;
    case 4:
        m->now += arg * 10;
        break;
    case 5:
        m->now += arg * 5000;
        break;
    case 6:
        fail(m, key, op / 8 % 12);
        break;
    default:
        forgive(m, key);
        break;
    }
    ENSURE(m->crowd.table.count <= m->room && m->penalties.table.count <= m->room);
    ENSURE(m->crowd.table.count >= open_keys(m));
}

void limit_model_run(const uint8_t *data, size_t size)
{
    struct model m = {.now = 1000000};

    if (size == 0)
        return;
    m.room = data[0] % (KEYS + 4) + 1;
    REQUIRE(crowd_init(&m.crowd, m.room) && penalties_init(&m.penalties, m.room));
    for (size_t i = 1; i + 1 < size; i += 2)
        operate(&m, data[i], data[i + 1]);
    for (unsigned i = 0; i < LIVE; i++)
        leave(&m, &m.live[i]);
    for (unsigned key = 0; key < KEYS; key++)
        ENSURE(!is_open(&m, key));
    crowd_fini(&m.crowd);
    penalties_fini(&m.penalties);
}
