/*
 * Which backends the fleet has. Owns every one from the first configuration that names it to the
 * end of the process. What a reload needs is made before the lock is taken.
 */
#include <stdlib.h>
#include <string.h>

#include "run/fleet_backend.h"

/* --- finding ---------------------------------------------------------------------------------- */

static int by_name(const void *name, const void *entry)
{
    return strcmp(name, (*(struct fleet_backend *const *)entry)->name);
}

/* Of one name the fresh one comes last. */
static int by_names(const void *a, const void *b)
{
    const struct fleet_backend *x = *(struct fleet_backend *const *)a;
    const struct fleet_backend *y = *(struct fleet_backend *const *)b;
    int order = strcmp(x->name, y->name);

    return order != 0 ? order : (int)x->fresh - (int)y->fresh;
}

/* Under the lock. */
static struct fleet_backend *find(const struct fleet *fleet, const char *name)
{
    struct fleet_backend **entry = NULL;

    if (fleet->count > 0)
        entry = bsearch(name, fleet->sorted, fleet->count, sizeof(*entry), by_name);
    return entry == NULL ? NULL : *entry;
}

struct fleet_backend *fleet_find(struct fleet *fleet, const char *name)
{
    struct fleet_backend *b;

    uv_mutex_lock(&fleet->lock);
    b = find(fleet, name);
    uv_mutex_unlock(&fleet->lock);
    return b;
}

void fleet_each(struct fleet *fleet, void (*visit)(void *ctx, struct fleet_backend *b), void *ctx)
{
    for (size_t i = 0; i < fleet->count; i++)
        visit(ctx, fleet->sorted[i]);
}

/* --- begin, reload, end ----------------------------------------------------------------------- */

static void backend_free(struct fleet_backend *b)
{
    if (b == NULL)
        return;
    free(b->name);
    free(b->host);
    free(b);
}

/* `before` has the same name, and what the operator said of that holds on; NULL: nobody has it. */
static struct fleet_backend *backend_new(const struct conf_backend *conf,
                                         const struct fleet_backend *before, uint64_t now)
{
    struct fleet_backend *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return NULL;
    b->fresh = true;
    b->name = strdup(conf->name);
    b->host = strdup(conf->host);
    b->port = conf->port;
    b->tls = conf->tls;
    b->probed = FLEET_NEVER;
    if (before != NULL)
        b->health = before->health;
    health_renew(&b->health, now);
    if (b->name != NULL && b->host != NULL)
        return b;
    backend_free(b);
    return NULL;
}

static bool same_server(const struct fleet_backend *b, const struct conf_backend *conf)
{
    return b != NULL && strcmp(b->host, conf->host) == 0 && b->port == conf->port;
}

/* Under the lock. With other TLS it may fare otherwise. */
static void renew(struct fleet_backend *b, const struct conf_backend *conf, uint64_t now)
{
    if (b->tls == conf->tls)
        return;
    b->tls = conf->tls;
    b->probed = FLEET_NEVER;
    health_renew(&b->health, now);
    atomic_store_explicit(&b->dead, false, memory_order_relaxed);
}

static void adopt(struct fleet_backend *b, const struct conf *conf,
                  const struct conf_backend *backend, uint64_t now)
{
    renew(b, backend, now);
    b->fresh = false;
    b->rules = (struct health_rules){
        .rise = backend->probe.rise,
        .fall = backend->probe.fall,
        .probed = backend->probe.interval > 0,
        .trial = conf->timeouts.backend_connect + conf->timeouts.backend_login,
    };
    b->max_sessions = backend->max_sessions;
    b->configured = true;
}

/* Under the lock. */
static void adopt_all(struct fleet *fleet, struct fleet_backend *const *found,
                      const struct conf *conf)
{
    uint64_t now = fleet_clock();

    fleet->log.level = conf->log.level;
    fleet->log.format = conf->log.format;
    for (size_t i = 0; i < fleet->count; i++)
        fleet->sorted[i]->configured = false;
    for (size_t i = 0; i < conf->routes->backend_count; i++)
        adopt(found[i], conf, &conf->routes->backends[i], now);
}

/* Fills `found` with what is known, and with new ones, which are put at `fresh` too. The number of
 * those; SIZE_MAX when memory is short. */
static size_t gather(const struct fleet *fleet, const struct conf_routes *routes,
                     struct fleet_backend **found, struct fleet_backend **fresh)
{
    size_t count = 0;

    for (size_t i = 0; i < routes->backend_count; i++) {
        const struct conf_backend *conf = &routes->backends[i];
        struct fleet_backend *known = find(fleet, conf->name);
        if (same_server(known, conf)) {
            found[i] = known;
            continue;
        }
        found[i] = fresh[count] = backend_new(conf, known, fleet_clock());
        if (found[i] == NULL) {
            while (count > 0)
                backend_free(fresh[--count]);
            return SIZE_MAX;
        }
        count++;
    }
    return count;
}

/* Of two with one name the fresh one, which comes second, stays. Returns how many there are then.
 */
static size_t retire(struct fleet *fleet, struct fleet_backend **sorted, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(sorted[kept - 1]->name, sorted[i]->name) == 0) {
            struct fleet_backend *old = sorted[--kept];
            old->configured = false;
            old->retired = fleet->retired;
            fleet->retired = old;
        }
        sorted[kept++] = sorted[i];
    }
    return kept;
}

/* Under the lock: takes the new list, and gives back the old one. */
static struct fleet_backend **enlist(struct fleet *fleet, struct fleet_backend **sorted,
                                     size_t fresh)
{
    struct fleet_backend **old = fleet->sorted;

    if (fleet->count > 0)
        memcpy(sorted, old, fleet->count * sizeof(*sorted));
    qsort(sorted, fleet->count + fresh, sizeof(*sorted), by_names);
    fleet->count = retire(fleet, sorted, fleet->count + fresh);
    fleet->sorted = sorted;
    return old;
}

struct fleet_backend **fleet_open(struct fleet *fleet, const struct conf *conf)
{
    size_t wanted = conf->routes->backend_count;
    struct fleet_backend **found = calloc(wanted + 1, sizeof(*found));
    struct fleet_backend **sorted = calloc(fleet->count + wanted + 1, sizeof(*sorted));
    struct fleet_backend **old = sorted;
    size_t fresh = SIZE_MAX;

    if (found != NULL && sorted != NULL)
        fresh = gather(fleet, conf->routes, found, sorted + fleet->count);
    if (fresh == SIZE_MAX) {
        free(found);
        found = NULL;
    } else {
        uv_mutex_lock(&fleet->lock);
        old = enlist(fleet, sorted, fresh);
        adopt_all(fleet, found, conf);
        uv_mutex_unlock(&fleet->lock);
    }
    free(old);
    return found;
}

bool fleet_init(struct fleet *fleet, log_sink *sink, void *sink_ctx, fleet_turned *turned,
                void *ctx)
{
    *fleet = (struct fleet){.log = {.sink = sink, .ctx = sink_ctx}, .turned = turned, .ctx = ctx};
    return uv_mutex_init(&fleet->lock) == 0;
}

void fleet_fini(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        backend_free(fleet->sorted[i]);
    while (fleet->retired != NULL) {
        struct fleet_backend *old = fleet->retired;
        fleet->retired = old->retired;
        backend_free(old);
    }
    free(fleet->sorted);
    uv_mutex_destroy(&fleet->lock);
}
