/*
 * Carries out an order to move. Owns a timer and an errand for as long as it takes; borrows the
 * registry, in which the order stands until it is obeyed or given up. Never waits for ever.
 */
#include "run/move.h"

#include "run/seat.h"
#include "run/supervisor_state.h"
#include "waypost/route/route.h"

#define LOOK_MS 50u

/* --- who is meant ----------------------------------------------------------------------------- */

static const struct conf_backend *find_backend(const struct conf_routes *routes, const char *name)
{
    for (size_t i = 0; i < routes->backend_count; i++) {
        if (strcmp(routes->backends[i].name, name) == 0)
            return &routes->backends[i];
    }
    return NULL;
}

static bool find_login(const struct supervisor *s, const char *user, struct route_decision *out,
                       struct str *why)
{
    struct route_query query = {.user = slice_str(user)};

    route_decide(s->generation->conf->routes, &query, out, NULL, NULL);
    if (out->verdict == ROUTE_TO)
        return true;
    str_addf(why, "the routing table has no backend for this user (%s)",
             route_verdict_name[out->verdict]);
    return false;
}

/* The cluster in which he is to move. A route that asks for a listener or a network may lead him
 * there, although it did not do so here; the backend that was named decides. */
static const char *find_cluster(const struct conf_routes *routes,
                                const struct route_decision *route, const char *to, struct str *why)
{
    const struct conf_backend *backend = to == NULL ? NULL : find_backend(routes, to);
    const char *cluster = to == NULL ? route->cluster : backend == NULL ? NULL : backend->cluster;

    if (to != NULL && backend == NULL)
        str_addf(why, "there is no backend of this name");
    else if (cluster == NULL)
        str_addf(why, "%s in no pool with one_backend_per_user",
                 to == NULL ? "the user is" : "the backend is");
    else if (route->cluster != NULL && strcmp(route->cluster, cluster) != 0)
        str_addf(why, "the user belongs to cluster \"%s\", the backend to \"%s\"", route->cluster,
                 cluster);
    else
        return cluster;
    return NULL;
}

bool move_key(const struct supervisor *s, const char *user, const char *to, uint64_t *key,
              struct str *why)
{
    struct route_decision route;
    const char *cluster;

    if (!find_login(s, user, &route, why))
        return false;
    cluster = find_cluster(s->generation->conf->routes, &route, to, why);
    if (cluster != NULL)
        *key = registry_key(&s->registry, cluster, slice_str(route.login));
    return cluster != NULL;
}

bool move_hold(struct supervisor *s, const char *user, uint64_t ms, struct str *why)
{
    uint64_t now = uv_now(&s->loop), key;
    struct route_decision route;

    if (!find_login(s, user, &route, why))
        return false;
    key = registry_key(&s->registry, route.cluster, slice_str(route.login));
    if (registry_hold(&s->registry, key, ms == 0 ? 0 : now + ms, now))
        return true;
    str_addf(why, "the table of users is full");
    return false;
}

/* --- the move --------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct move *move = container_of(handle, struct move, timer);

    move->done(move, move->moved);
}

static void close_timer(struct move *move)
{
    if (move->decided && !move->abroad)
        uv_close((uv_handle_t *)&move->timer, on_closed);
}

static void decide(struct move *move)
{
    struct supervisor *s = move->supervisor;

    move->moved = registry_obeyed(&s->registry, move->key, move->home, uv_now(&s->loop));
    move->decided = true;
    uv_timer_stop(&move->timer);
    close_timer(move);
}

static void cut_one(void *ctx, struct conn *c)
{
    const struct move *move = ctx;

    conn_cut(c, move->key, REASON_moved);
}

static void cut_visit(struct errand *errand, struct worker *worker)
{
    struct move *move = container_of(errand, struct move, cutting);

    conns_each(&worker->home, cut_one, move);
}

static void cut_done(struct errand *errand)
{
    struct move *move = container_of(errand, struct move, cutting);

    move->abroad = false;
    close_timer(move);
}

static void on_look(uv_timer_t *timer)
{
    struct move *move = container_of(timer, struct move, timer);
    struct supervisor *s = move->supervisor;
    uint64_t now = uv_now(&s->loop);

    if (registry_vacant(&s->registry, move->key, move->home, now) || now >= move->end_at ||
        s->draining) {
        decide(move);
        return;
    }
    if (now >= move->cut_at && !move->cut) {
        move->cut = true;
        move->cutting = (struct errand){.visit = cut_visit, .done = cut_done};
        move->abroad = errand_send(&s->errands, &move->cutting);
    }
    /* Those who were still being logged in when it began are logged in by now. */
    supervisor_disturb(s);
}

bool move_begin(struct move *move, struct supervisor *s, const char *user, const char *to,
                uint64_t patience, struct str *why)
{
    uint64_t now = uv_now(&s->loop);
    struct fleet_backend *backend = fleet_find(&s->fleet, to);
    struct registry_view view = {.sessions = 0};

    if (!move_key(s, user, to, &move->key, why))
        return false;
    move->supervisor = s;
    move->began = now;
    move->cut_at = now + patience / 2;
    move->end_at = now + patience;
    move->cut = move->abroad = move->decided = move->moved = false;
    (void)registry_look(&s->registry, move->key, s->generation->conf->placement.linger, now, &view);
    move->sessions = view.sessions;
    move->home = registry_order(&s->registry, move->key, backend, now);
    if (move->home == NULL) {
        str_addf(why, "the user is being moved already, or the table of users is full");
        return false;
    }
    uv_timer_init(&s->loop, &move->timer);
    uv_timer_start(&move->timer, on_look, 0, LOOK_MS);
    return true;
}
