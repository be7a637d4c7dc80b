/*
 * Whether one backend may be sent users: what probes and logins have shown, and what the operator
 * says. A backend of which nothing is known is up. `fall` failures in a row take it down, `rise`
 * probes that succeed in a row bring it back. Failed logins trip it as a circuit breaker: further
 * ones are turned away at once, not after a timeout. When it trips again before any login has got
 * through, probes are believed less easily each time. Where nobody probes, one login at a time is
 * let through as a trial, which decides. Pure; `now` is monotonic milliseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/slice.h"

#define HEALTH_WHY 256u
/* `rise` is doubled as often as that at most. */
#define HEALTH_DOUBT 4u
/* Where nobody probes: from a failed login to the next trial, ms. */
#define HEALTH_COOLDOWN UINT64_C(10000)

struct health_rules {
    unsigned rise, fall; /* 1 or more */
    bool probed;
    uint64_t trial; /* ms after which a trial that has told nothing is lost */
};

enum health_cause { HEALTH_BY_NONE, HEALTH_BY_PROBE, HEALTH_BY_LOGINS };

struct health {
    enum health_cause down;  /* what took it down; NONE: it is up */
    uint64_t since;          /* when it became so */
    char why[HEALTH_WHY];    /* the latest failure, for people; "" before the first */
    bool silent;             /* the latest report: nothing was heard of it at all */
    unsigned probes;         /* in a row that contradict: failures while up, else successes */
    unsigned logins;         /* in a row that failed */
    unsigned trips;          /* of the breaker, with no login in between that got through */
    uint64_t retry;          /* down: no trial before */
    bool set_down, draining; /* the operator's, and nobody else's */
};

/* What became of a report. */
enum health_news { HEALTH_SAME, HEALTH_FELL, HEALTH_ROSE };

void health_init(struct health *h, uint64_t now);
/* Forgets what was seen, because it is another server now; what the operator said stays. */
void health_renew(struct health *h, uint64_t now);

/* A probe has ended. `why` and `silent` are read only when it failed. */
enum health_news health_probed(struct health *h, const struct health_rules *rules, bool up,
                               struct slice why, bool silent, uint64_t now);
/* A client's login got a greeting, and TLS where that is configured. */
enum health_news health_login_reached(struct health *h, const struct health_rules *rules,
                                      uint64_t now);
/* It got none: no connection, no TLS, no greeting, or not in time. Logins that `began` before the
 * last change are late news, and do not count. */
enum health_news health_login_failed(struct health *h, const struct health_rules *rules,
                                     struct slice why, bool silent, uint64_t began, uint64_t now);

/* Whether a login may be tried now. When it is down, true is a trial, and the only one until that
 * has been reported or is lost. */
bool health_allows(struct health *h, const struct health_rules *rules, uint64_t now);
/* Up and not set down: nothing is consumed. */
static inline bool health_is_up(const struct health *h)
{
    return h->down == HEALTH_BY_NONE && !h->set_down;
}
/* Down, and silent: whoever is connected to it will hear nothing more either. */
static inline bool health_is_dead(const struct health *h)
{
    return h->down != HEALTH_BY_NONE && h->silent;
}
/* Something is about to change: the next probe should not wait for its regular turn. */
bool health_is_unsettled(const struct health *h);
