/*
 * Counts and rates over a bounded table. Owns the table. Never sees a clock: time is an argument in
 * monotonic milliseconds, and may step back a little between threads.
 */
#include "waypost/limit/crowd.h"

/* Attempts matter for two minutes: this one and the one before. */
#define LIFETIME (2 * CROWD_MINUTE)

struct headcount {
    struct limit_entry entry;
    uint32_t open[CROWD_KINDS];
    uint64_t minute;           /* that `attempts` is about */
    uint32_t attempts, before; /* in it, and in the one before */
};

bool crowd_init(struct crowd *t, uint32_t room)
{
    return limit_table_init(&t->table, sizeof(struct headcount), room, LIFETIME);
}

void crowd_fini(struct crowd *t)
{
    limit_table_fini(&t->table);
}

enum crowd_verdict crowd_enter(struct crowd *t, uint64_t key, enum crowd_kind kind, unsigned max,
                               uint64_t now, uint32_t *position)
{
    struct headcount *head = limit_table_get(&t->table, key, now);

    *position = 0;
    if (head == NULL)
        return CROWD_UNTRACKED;
    if (max > 0 && head->open[kind] >= max)
        return CROWD_REFUSED;
    head->open[kind]++;
    limit_table_hold(&t->table, head);
    *position = limit_table_position(&t->table, head);
    return CROWD_COUNTED;
}

void crowd_leave(struct crowd *t, uint32_t *position, enum crowd_kind kind, uint64_t now)
{
    struct headcount *head;

    if (*position == 0)
        return;
    head = limit_table_at(&t->table, *position);
    *position = 0;
    REQUIRE(head->open[kind] > 0);
    head->open[kind]--;
    limit_table_release(&t->table, head, now);
    if (head->entry.held == 0 && head->attempts == 0 && head->before == 0)
        limit_table_forget(&t->table, head);
}

static void turn_minute(struct headcount *head, uint64_t minute)
{
    if (minute <= head->minute)
        return;
    head->before = minute == head->minute + 1 ? head->attempts : 0;
    head->attempts = 0;
    head->minute = minute;
}

/* Attempts of the last 60 seconds: those of the last minute are taken to have come evenly. */
static uint64_t lately(const struct headcount *head, uint64_t now)
{
    uint64_t passed = now / CROWD_MINUTE == head->minute ? now % CROWD_MINUTE : 0;

    return head->attempts + head->before * (CROWD_MINUTE - passed) / CROWD_MINUTE;
}

bool crowd_attempt(struct crowd *t, uint64_t key, unsigned max, uint64_t now)
{
    struct headcount *head;

    if (max == 0)
        return true;
    head = limit_table_get(&t->table, key, now);
    if (head == NULL)
        return true;
    turn_minute(head, now / CROWD_MINUTE);
    if (lately(head, now) >= max)
        return false;
    head->attempts++;
    limit_table_touch(&t->table, head, now);
    return true;
}
