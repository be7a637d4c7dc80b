/*
 * What a connection holds at a backend, from the moment it may go there until it is closed: one of
 * the backend's places, and a lease at the user's home where the pool keeps users on one backend.
 */
#pragma once

#include "run/fleet.h"
#include "run/generation.h"
#include "run/registry.h"
#include "waypost/base/port.h"
#include "waypost/route/route.h"
#include "waypost/session/lease.h"

/* Who knows where there is room; outlives all seats. */
struct seating {
    struct fleet *fleet;
    struct registry *registry;
};

/* Zeroed: nothing. */
struct seat {
    struct fleet_backend *backend; /* borrowed; NULL: nothing is held */
    struct home *home;             /* a lease; NULL: nobody keeps this user anywhere */
    uint64_t key;                  /* of the user, in the registry */
    uint64_t taken;                /* when; loop time */
    bool login;                    /* it is under way, and counted */
    bool session;                  /* somebody is logged in on it */
    bool committed;                /* or may be, for all we know */
    bool doubted;                  /* the session was told that the backend is dead */
};

/* Performs what a session asks of its lease and hears its news. `route` is where it wants to go,
 * `g` its generation, `backend` the port that the lease is for. True when the session should look
 * again. */
bool seat_obey(struct seat *seat, const struct seating *seating, const struct generation *g,
               struct lease *lease, const struct route_decision *route, const struct port *backend,
               uint64_t now);
/* The session relays from now on. */
void seat_settle(struct seat *seat, const struct seating *seating);
/* Gives everything back; harmless when nothing is held. The connection to the backend is closed. */
void seat_leave(struct seat *seat, const struct seating *seating, const struct conf *conf,
                uint64_t now);
/* All sessions must go that the user's other ones would follow. How many, this one included. */
uint32_t seat_evict(const struct seat *seat, const struct seating *seating, uint64_t now);
/* True when whoever holds this must go, because all of the user's sessions must. */
static inline bool seat_revoked(const struct seat *seat)
{
    return seat->home != NULL && registry_leaving(seat->home);
}
