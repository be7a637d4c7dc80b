/*
 * The states of a backend's health and what moves between them. Owns nothing, knows no name, reads
 * no clock. What the operator set is never changed here.
 */
#include "waypost/route/health.h"

#include "waypost/base/str.h"

void health_init(struct health *h, uint64_t now)
{
    *h = (struct health){.since = now};
}

void health_renew(struct health *h, uint64_t now)
{
    *h = (struct health){.since = now, .set_down = h->set_down, .draining = h->draining};
}

static void note(struct health *h, struct slice why, bool silent)
{
    struct str text = STR_ON(h->why);

    h->silent = silent;
    str_add(&text, slice_take(why, HEALTH_WHY - 1));
}

static enum health_news turn(struct health *h, enum health_cause down, uint64_t now)
{
    h->down = down;
    h->since = now;
    h->probes = 0;
    h->logins = 0;
    h->retry = now + HEALTH_COOLDOWN;
    return down == HEALTH_BY_NONE ? HEALTH_ROSE : HEALTH_FELL;
}

/* Greetings that lead to no login are worth less each time. */
static unsigned needed(const struct health *h, const struct health_rules *rules)
{
    bool doubtful = h->down == HEALTH_BY_LOGINS && h->trips > 1;

    return doubtful ? rules->rise << (h->trips - 1) : rules->rise;
}

enum health_news health_probed(struct health *h, const struct health_rules *rules, bool up,
                               struct slice why, bool silent, uint64_t now)
{
    bool was_up = h->down == HEALTH_BY_NONE;

    h->silent = false;
    if (!up)
        note(h, why, silent);
    if (up == was_up) {
        h->probes = 0;
        return HEALTH_SAME;
    }
    h->probes++;
    if (h->probes < (up ? needed(h, rules) : rules->fall))
        return HEALTH_SAME;
    return turn(h, up ? HEALTH_BY_NONE : HEALTH_BY_PROBE, now);
}

/* What probes took down is theirs to bring back, for they may look deeper than a greeting; unless
 * nobody probes it any more. */
enum health_news health_login_reached(struct health *h, const struct health_rules *rules,
                                      uint64_t now)
{
    h->logins = h->trips = 0;
    h->silent = false;
    if (h->down == HEALTH_BY_NONE || (h->down == HEALTH_BY_PROBE && rules->probed))
        return HEALTH_SAME;
    return turn(h, HEALTH_BY_NONE, now);
}

enum health_news health_login_failed(struct health *h, const struct health_rules *rules,
                                     struct slice why, bool silent, uint64_t began, uint64_t now)
{
    if (began < h->since)
        return HEALTH_SAME;
    note(h, why, silent);
    if (h->logins < UINT32_MAX)
        h->logins++;
    if (h->down != HEALTH_BY_NONE) {
        h->retry = now + HEALTH_COOLDOWN;
        return HEALTH_SAME;
    }
    if (h->logins < rules->fall)
        return HEALTH_SAME;
    if (h->trips <= HEALTH_DOUBT)
        h->trips++;
    return turn(h, HEALTH_BY_LOGINS, now);
}

bool health_allows(struct health *h, const struct health_rules *rules, uint64_t now)
{
    if (h->set_down)
        return false;
    if (h->down == HEALTH_BY_NONE)
        return true;
    if (rules->probed || now < h->retry)
        return false;
    h->retry = now + rules->trial;
    return true;
}

bool health_is_unsettled(const struct health *h)
{
    return h->down != HEALTH_BY_NONE || h->probes > 0;
}
