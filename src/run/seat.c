/*
 * Answers a session that asks for a place: by the health of the candidates, and by where the user's
 * other sessions are. Owns nothing; what is held is written down in the seat of the connection.
 * Never waits: who cannot be placed yet is told when to ask again.
 */
#include "run/seat.h"

/* How soon somebody asks again whose logins an operator holds. */
#define HELD_MS 200u

/* One question: what there is to choose from. */
struct choice {
    const struct seating *seating;
    const struct generation *g;
    uint64_t now;
};

/* The backend as this session's configuration has it; NULL: it has been removed. */
static const struct conf_backend *conf_of(const struct choice *choice, const void *backend)
{
    const struct conf_routes *routes = choice->g->conf->routes;

    for (size_t i = 0; i < routes->backend_count; i++) {
        if (choice->g->fleet[i] == backend)
            return &routes->backends[i];
    }
    return NULL;
}

static bool admits(void *ctx, const void *backend)
{
    const struct choice *choice = ctx;
    const struct conf_backend *conf = conf_of(choice, backend);

    return conf != NULL &&
           fleet_admits(choice->seating->fleet, choice->g->fleet[conf->index], conf, choice->now);
}

static bool serves(void *ctx, const void *backend)
{
    const struct choice *choice = ctx;
    const struct conf_backend *conf = conf_of(choice, backend);

    return conf != NULL &&
           fleet_serves(choice->seating->fleet, choice->g->fleet[conf->index], choice->now);
}

static void answer(struct session *s, enum lease_fact fact)
{
    s->lease.ask = LEASE_NO_ASK;
    s->lease.fact = fact;
}

static void place_at(struct seat *seat, struct session *s, const struct choice *choice,
                     const struct conf_backend *conf)
{
    seat->backend = choice->g->fleet[conf->index];
    seat->taken = choice->now;
    fleet_enter(seat->backend);
    s->lease.backend = conf;
    answer(s, LEASE_PLACED);
}

static void hold(struct session *s, uint64_t until)
{
    s->lease.until = until;
    answer(s, LEASE_HELD);
}

static bool tried(const struct session *s, size_t candidate)
{
    return (s->lease.tried & UINT32_C(1) << candidate) != 0;
}

/* Nobody keeps the user anywhere: the first candidate that will have him. */
static void place_freely(struct seat *seat, struct session *s, struct choice *choice)
{
    const struct route_decision *route = s->route;
    size_t i = 0;

    while (i < route->candidate_count &&
           (tried(s, i) || !admits(choice, choice->g->fleet[route->candidates[i]->index])))
        i++;
    if (i == route->candidate_count)
        answer(s, LEASE_FAILED);
    else
        place_at(seat, s, choice, route->candidates[i]);
}

static void place_at_home(struct seat *seat, struct session *s, struct choice *choice)
{
    const struct route_decision *route = s->route;
    const struct conf_backend *failed = s->lease.failed;
    const void *choices[LIMIT_CANDIDATES];
    struct home_query query = {
        .key = seat->key,
        .choices = choices,
        .failed = failed == NULL ? NULL : choice->g->fleet[failed->index],
        .admits = admits,
        .serves = serves,
        .ctx = choice,
        .linger = choice->g->conf->placement.linger,
    };
    struct home_answer found;

    for (size_t i = 0; i < route->candidate_count; i++) {
        if (!tried(s, i))
            choices[query.choice_count++] = choice->g->fleet[route->candidates[i]->index];
    }
    found = registry_place(choice->seating->registry, &query, choice->now);
    if (found.verdict == HOME_HELD) {
        hold(s, found.until);
    } else if (found.verdict == HOME_PLACED) {
        seat->home = found.home;
        place_at(seat, s, choice, conf_of(choice, found.at));
    } else {
        answer(s, LEASE_FAILED);
    }
}

static void place(struct seat *seat, const struct seating *seating, struct session *s,
                  const struct generation *g, uint64_t now)
{
    struct choice choice = {seating, g, now};
    const char *cluster = s->route->cluster;
    struct slice login = slice_str(s->route->login);

    REQUIRE(seat->backend == NULL);
    seat->key = registry_key(seating->registry, cluster, login);
    if (registry_held(seating->registry, seat->key, now))
        hold(s, now + HELD_MS);
    else if (cluster == NULL)
        place_freely(seat, s, &choice);
    else
        place_at_home(seat, s, &choice);
}

static void hear(struct seat *seat, const struct seating *seating, struct session *s, uint64_t now)
{
    enum lease_news news = s->lease.news;

    s->lease.news = LEASE_NO_NEWS;
    if (seat->backend == NULL || news == LEASE_NO_NEWS)
        return;
    if (news == LEASE_REACHED)
        fleet_login_reached(seating->fleet, seat->backend, now);
    else
        fleet_login_failed(seating->fleet, seat->backend, s->lease.why, seat->taken, now);
}

bool seat_obey(struct seat *seat, const struct seating *seating, struct session *s,
               const struct generation *g, uint64_t now)
{
    hear(seat, seating, s, now);
    if (s->lease.ask == LEASE_PLACE) {
        place(seat, seating, s, g, now);
        return true;
    }
    if (s->lease.ask != LEASE_RELEASE || s->backend.busy)
        return false;
    seat_leave(seat, seating, g->conf, now);
    s->lease.ask = LEASE_NO_ASK;
    return true;
}

void seat_settle(struct seat *seat, const struct seating *seating)
{
    if (seat->session)
        return;
    seat->session = true;
    if (seat->home != NULL)
        registry_settle(seating->registry, seat->key, seat->home);
}

void seat_leave(struct seat *seat, const struct seating *seating, const struct conf *conf,
                uint64_t now)
{
    if (seat->backend == NULL)
        return;
    fleet_leave(seat->backend);
    if (seat->home != NULL)
        registry_release(seating->registry, seat->key, seat->home, seat->session,
                         conf->placement.settle, now);
    *seat = (struct seat){.backend = NULL};
}
