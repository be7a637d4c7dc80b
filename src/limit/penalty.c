/*
 * Penalties over a bounded table, in which no entry is ever held: the oldest make room. Owns the
 * table; keeps no secret, only keyed fingerprints of the latest few.
 */
#include "waypost/limit/penalty.h"

struct penalty {
    struct limit_entry head;
    uint64_t seen[PENALTY_FINGERPRINTS]; /* a ring */
    uint32_t seen_count, seen_next;
    uint32_t failures;
};

bool penalties_init(struct penalties *p, uint32_t room)
{
    return limit_table_init(&p->table, sizeof(struct penalty), room, PENALTY_MEMORY);
}

void penalties_fini(struct penalties *p)
{
    limit_table_fini(&p->table);
}

static bool was_seen(const struct penalty *penalty, uint64_t fingerprint)
{
    for (uint32_t i = 0; i < penalty->seen_count; i++) {
        if (penalty->seen[i] == fingerprint)
            return true;
    }
    return false;
}

static void remember(struct penalty *penalty, uint64_t fingerprint)
{
    penalty->seen[penalty->seen_next] = fingerprint;
    penalty->seen_next = (penalty->seen_next + 1) % PENALTY_FINGERPRINTS;
    if (penalty->seen_count < PENALTY_FINGERPRINTS)
        penalty->seen_count++;
}

/* The entry of the address, without what has been quiet for too long. */
static struct penalty *recall(struct penalties *p, uint64_t address, uint64_t now)
{
    struct penalty *penalty = limit_table_find(&p->table, address);

    if (penalty != NULL && now > penalty->head.touched &&
        now - penalty->head.touched >= PENALTY_MEMORY)
        limit_table_forget(&p->table, penalty);
    return limit_table_get(&p->table, address, now);
}

unsigned penalty_add(struct penalties *p, uint64_t address, const uint64_t *fingerprint,
                     uint64_t now)
{
    struct penalty *penalty = recall(p, address, now);

    ENSURE(penalty != NULL); /* nothing is held here, so there is always room */
    limit_table_touch(&p->table, penalty, now);
    if (fingerprint != NULL && was_seen(penalty, *fingerprint))
        return penalty->failures;
    if (fingerprint != NULL)
        remember(penalty, *fingerprint);
    if (penalty->failures < UINT32_MAX)
        penalty->failures++;
    return penalty->failures;
}

void penalty_clear(struct penalties *p, uint64_t address)
{
    struct penalty *penalty = limit_table_find(&p->table, address);

    if (penalty != NULL)
        limit_table_forget(&p->table, penalty);
}

uint64_t penalty_delay(uint64_t first, uint64_t max, unsigned failures)
{
    uint64_t delay = first;

    if (delay == 0)
        return 0;
    for (unsigned i = 1; i < failures && delay < max; i++)
        delay *= 2;
    return delay < max ? delay : max;
}
