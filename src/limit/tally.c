/*
 * Counts and rates over a bounded table. Owns the table. Never sees a clock: time is an argument in
 * monotonic milliseconds, and may step back a little between threads.
 */
#include "waypost/limit/tally.h"

/* Attempts matter for two minutes: this one and the one before. */
#define LIFETIME (2 * TALLY_MINUTE)

struct tally {
    struct limit_entry head;
    uint32_t open[TALLY_KINDS];
    uint64_t minute;           /* that `attempts` is about */
    uint32_t attempts, before; /* in it, and in the one before */
};

bool tallies_init(struct tallies *t, uint32_t room)
{
    return limit_table_init(&t->table, sizeof(struct tally), room, LIFETIME);
}

void tallies_fini(struct tallies *t)
{
    limit_table_fini(&t->table);
}

enum tally_verdict tally_enter(struct tallies *t, uint64_t key, enum tally_kind kind, unsigned max,
                               uint64_t now, uint32_t *position)
{
    struct tally *tally = limit_table_get(&t->table, key, now);

    *position = 0;
    if (tally == NULL)
        return TALLY_UNTRACKED;
    if (max > 0 && tally->open[kind] >= max)
        return TALLY_REFUSED;
    tally->open[kind]++;
    limit_table_hold(&t->table, tally);
    *position = limit_table_position(&t->table, tally);
    return TALLY_COUNTED;
}

void tally_leave(struct tallies *t, uint32_t *position, enum tally_kind kind, uint64_t now)
{
    struct tally *tally;

    if (*position == 0)
        return;
    tally = limit_table_at(&t->table, *position);
    *position = 0;
    REQUIRE(tally->open[kind] > 0);
    tally->open[kind]--;
    limit_table_release(&t->table, tally, now);
    if (tally->head.held == 0 && tally->attempts == 0 && tally->before == 0)
        limit_table_forget(&t->table, tally);
}

static void turn_minute(struct tally *tally, uint64_t minute)
{
    if (minute <= tally->minute)
        return;
    tally->before = minute == tally->minute + 1 ? tally->attempts : 0;
    tally->attempts = 0;
    tally->minute = minute;
}

/* Attempts of the last 60 seconds: those of the last minute are taken to have come evenly. */
static uint64_t lately(const struct tally *tally, uint64_t now)
{
    uint64_t passed = now / TALLY_MINUTE == tally->minute ? now % TALLY_MINUTE : 0;

    return tally->attempts + tally->before * (TALLY_MINUTE - passed) / TALLY_MINUTE;
}

bool tally_attempt(struct tallies *t, uint64_t key, unsigned max, uint64_t now)
{
    struct tally *tally;

    if (max == 0)
        return true;
    tally = limit_table_get(&t->table, key, now);
    if (tally == NULL)
        return true;
    turn_minute(tally, now / TALLY_MINUTE);
    if (lately(tally, now) >= max)
        return false;
    tally->attempts++;
    limit_table_touch(&t->table, tally, now);
    return true;
}
