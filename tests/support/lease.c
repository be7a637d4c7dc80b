/*
 * Owns nothing: what there is to know is in the session's lease and its route.
 */
#include "support/lease.h"

void lease_grant(struct session *s)
{
    const struct route_decision *route = s->route;
    size_t i = 0;

    REQUIRE(s->lease.ask == LEASE_PLACE && !s->lease.held && route != NULL);
    while (i < route->candidate_count && (s->lease.tried & UINT32_C(1) << i) != 0)
        i++;
    s->lease.ask = LEASE_NO_ASK;
    s->lease.fact = i < route->candidate_count ? LEASE_PLACED : LEASE_FAILED;
    s->lease.why = "none is left";
    s->lease.backend = i < route->candidate_count ? route->candidates[i] : NULL;
}

void lease_take_back(struct session *s)
{
    REQUIRE(s->lease.ask == LEASE_RELEASE && !s->lease.held);
    if (!s->backend.busy)
        s->lease.ask = LEASE_NO_ASK;
}
