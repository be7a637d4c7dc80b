/*
 * Answers a session that asks for a place: by the health of the candidates, and by where the user's
 * other sessions are. Owns nothing; what is held is written down in the seat of the connection.
 * Never waits: who cannot be placed yet is told when to ask again.
 */
#include "run/seat.h"

/* How soon somebody asks again whose logins an operator holds. */
#define HELD_MS 200u
/* And who waits for other logins at his backend. */
#define QUEUE_MS 200u

#define NONE_LEFT "no backend for this user takes logins now"

/* One question: who asks, and what there is to choose from. */
struct choice {
    const struct seating *seating;
    const struct generation *g;
    struct lease *lease;
    const struct route_decision *route;
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

static void answer(struct lease *lease, enum lease_fact fact)
{
    lease->ask = LEASE_NO_ASK;
    lease->fact = fact;
}

static void hold(struct lease *lease, uint64_t until)
{
    lease->until = until;
    answer(lease, LEASE_HELD);
}

/* A backend that has just come back is not run over: when enough logins are under way, the seat is
 * kept, and the login comes again. Not all of those that wait at the same time. */
static void begin_login(struct seat *seat, const struct choice *choice,
                        const struct conf_backend *conf)
{
    uint64_t now = choice->now;

    if (!fleet_begin_login(seat->backend, conf->logins_at_once)) {
        hold(choice->lease, now + QUEUE_MS / 2 + (seat->key ^ now) % QUEUE_MS);
        return;
    }
    seat->login = true;
    seat->taken = now;
    choice->lease->backend = conf;
    answer(choice->lease, LEASE_PLACED);
}

static void place_at(struct seat *seat, const struct choice *choice,
                     const struct conf_backend *conf)
{
    seat->backend = choice->g->fleet[conf->index];
    fleet_enter(seat->backend);
    begin_login(seat, choice, conf);
}

static void refuse(struct lease *lease, const char *why)
{
    lease->why = why;
    answer(lease, LEASE_FAILED);
}

static bool tried(const struct lease *lease, size_t candidate)
{
    return (lease->tried & UINT32_C(1) << candidate) != 0;
}

/* Nobody keeps the user anywhere: the first candidate that will have him. */
static void place_freely(struct seat *seat, struct choice *choice)
{
    const struct route_decision *route = choice->route;
    size_t i = 0;

    while (
        i < route->candidate_count &&
        (tried(choice->lease, i) || !admits(choice, choice->g->fleet[route->candidates[i]->index])))
        i++;
    if (i == route->candidate_count)
        refuse(choice->lease, NONE_LEFT);
    else
        place_at(seat, choice, route->candidates[i]);
}

static void place_at_home(struct seat *seat, struct choice *choice)
{
    const struct route_decision *route = choice->route;
    const struct conf_backend *failed = choice->lease->failed;
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
        if (!tried(choice->lease, i))
            choices[query.choice_count++] = choice->g->fleet[route->candidates[i]->index];
    }
    found = registry_place(choice->seating->registry, &query, choice->now);
    if (found.verdict == HOME_HELD) {
        hold(choice->lease, found.until);
    } else if (found.verdict == HOME_PLACED) {
        seat->home = found.home;
        place_at(seat, choice, conf_of(choice, found.at));
    } else {
        refuse(choice->lease,
               found.verdict == HOME_FULL ? "the table of users is full" : NONE_LEFT);
    }
}

static void place(struct seat *seat, struct choice *choice)
{
    struct registry *registry = choice->seating->registry;
    const struct route_decision *route = choice->route;

    seat->key = registry_key(registry, route->cluster, slice_str(route->login));
    if (registry_held(registry, seat->key, choice->now))
        hold(choice->lease, choice->now + HELD_MS);
    else if (route->cluster == NULL)
        place_freely(seat, choice);
    else
        place_at_home(seat, choice);
}

/* Whether it still holds for somebody who waits there for his turn. */
static bool keeps(const struct seat *seat, struct choice *choice)
{
    return !seat_revoked(seat) && serves(choice, seat->backend);
}

static void place_or_keep(struct seat *seat, struct choice *choice)
{
    REQUIRE(!seat->login);
    if (seat->backend != NULL && keeps(seat, choice)) {
        begin_login(seat, choice, conf_of(choice, seat->backend));
        return;
    }
    seat_leave(seat, choice->seating, choice->g->conf, choice->now);
    place(seat, choice);
}

static void hear(struct seat *seat, const struct seating *seating, struct lease *lease,
                 uint64_t now)
{
    enum lease_news news = lease->news;

    lease->news = LEASE_NO_NEWS;
    if (seat->backend == NULL || news == LEASE_NO_NEWS)
        return;
    if (news == LEASE_REACHED)
        fleet_login_reached(seating->fleet, seat->backend, now);
    else
        fleet_login_failed(seating->fleet, seat->backend, lease->why, news == LEASE_SILENT,
                           seat->taken, now);
}

bool seat_obey(struct seat *seat, const struct seating *seating, const struct generation *g,
               struct lease *lease, const struct route_decision *route, const struct port *backend,
               uint64_t now)
{
    struct choice choice = {seating, g, lease, route, now};

    hear(seat, seating, lease, now);
    seat->committed = lease->committed;
    if (lease->ask == LEASE_PLACE) {
        place_or_keep(seat, &choice);
        return true;
    }
    if (lease->ask != LEASE_RELEASE || backend->busy)
        return false;
    seat_leave(seat, seating, g->conf, now);
    lease->ask = LEASE_NO_ASK;
    return true;
}

static void end_login(struct seat *seat)
{
    if (seat->login)
        fleet_end_login(seat->backend);
    seat->login = false;
}

void seat_settle(struct seat *seat, const struct seating *seating)
{
    if (seat->session)
        return;
    seat->session = true;
    end_login(seat);
    if (seat->home != NULL)
        registry_settle(seating->registry, seat->key, seat->home);
}

uint32_t seat_evict(const struct seat *seat, const struct seating *seating, uint64_t now)
{
    struct registry_view view;

    if (seat->home == NULL)
        return 1;
    registry_evict(seating->registry, seat->key, seat->home);
    return registry_look(seating->registry, seat->key, 0, now, &view) ? view.sessions : 1;
}

void seat_leave(struct seat *seat, const struct seating *seating, const struct conf *conf,
                uint64_t now)
{
    if (seat->backend == NULL)
        return;
    /* A login without an answer may have begun a session, which has its time to settle. */
    if (seat->committed)
        seat_settle(seat, seating);
    end_login(seat);
    fleet_leave(seat->backend);
    if (seat->home != NULL)
        registry_release(seating->registry, seat->key, seat->home, seat->session,
                         conf->placement.settle, now);
    *seat = (struct seat){.backend = NULL};
}
