/*
 * When which backend is probed. Owns a pool, a name cache and a few slots, each with a probe and a
 * reference to the generation it began under. Never waits: a round that takes its time is not
 * overtaken by the next. What it sees goes to the lore; changes go to the log.
 */
#include "run/prober.h"

#include <stdlib.h>
#include <sys/random.h>

static void go_on(struct prober *p);

/* --- results ---------------------------------------------------------------------------------- */

/* The first look at a backend that is well is nothing to tell. */
static void view(struct prober *p, const struct probe *probe)
{
    enum prober_view *last = &p->views[probe->backend->index];
    enum prober_view now = probe->up ? PROBER_UP : PROBER_DOWN;
    bool news = now != *last && (now == PROBER_DOWN || *last == PROBER_DOWN);
    struct log_line line;

    *last = now;
    if (!news || !log_begin(&line, p->log, probe->up ? LEVEL_INFO : LEVEL_WARN,
                            probe->up ? "backend_up" : "backend_down"))
        return;
    log_text(&line, "backend", slice_str(probe->backend->name));
    if (!probe->up)
        log_text(&line, "why", slice_str(probe->why));
    log_end(&line);
}

static void on_done(struct probing *probing)
{
    struct prober_slot *slot = container_of(probing, struct prober_slot, probing);
    struct probe *probe = &probing->probe;
    struct prober *p = slot->home;
    const struct session_lore *lore = &slot->generation->lore.view;

    if (slot->generation == p->generation) {
        if (probe->up)
            lore->note(lore->ctx, probe->backend, LORE_BEFORE_LOGIN, caps_words(&probe->caps));
        view(p, probe);
    }
    probe_fini(probe);
    generation_release(&slot->generation);
    go_on(p);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void start(struct prober *p, struct prober_slot *slot, const struct conf_backend *backend)
{
    slot->home = p;
    slot->generation = generation_hold(p->generation);
    probing_start(&slot->probing, &p->home, backend, &p->generation->conf->timeouts,
                  p->generation->tls, on_done);
}

/* Gives free slots something to do. */
static void go_on(struct prober *p)
{
    if (p->generation == NULL)
        return;
    for (size_t i = 0; i < PROBER_AT_ONCE; i++) {
        const struct conf_routes *routes = p->generation->conf->routes;
        if (p->slots[i].generation == NULL && p->next < routes->backend_count)
            start(p, &p->slots[i], &routes->backends[p->next++]);
    }
}

/* A tenth more or less, so that many proxies before one backend do not fall into step. */
static uint64_t jittered(uint64_t every)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        return every;
    return every - every / 10 + random % (every / 5 + 1);
}

static void on_round(uv_timer_t *timer)
{
    struct prober *p = container_of(timer, struct prober, timer);

    uv_timer_start(timer, on_round, jittered(p->generation->conf->probe.interval), 0);
    if (p->next < p->generation->conf->routes->backend_count)
        return;
    p->next = 0;
    go_on(p);
}

static void begin_rounds(struct prober *p)
{
    uint64_t interval = p->generation->conf->probe.interval;

    if (interval == 0) {
        p->next = p->generation->conf->routes->backend_count;
        uv_timer_stop(&p->timer);
        return;
    }
    p->next = 0;
    uv_timer_start(&p->timer, on_round, jittered(interval), 0);
    go_on(p);
}

void prober_use(struct prober *p, struct generation *generation)
{
    size_t count = generation->conf->routes->backend_count;
    enum prober_view *views = calloc(count + 1, sizeof(*views));

    if (views == NULL)
        return; /* sessions learn by themselves, if later */
    if (p->generation != NULL)
        generation_release(&p->generation);
    p->generation = generation_hold(generation);
    free(p->views);
    p->views = views;
    dns_expire(&p->dns);
    begin_rounds(p);
}

/* --- begin and end ---------------------------------------------------------------------------- */

void prober_init(struct prober *p, uv_loop_t *loop, const struct log *log)
{
    *p = (struct prober){.log = log};
    pool_init(&p->pool);
    dns_init(&p->dns, loop);
    uv_timer_init(loop, &p->timer);
    p->home = (struct probing_home){.loop = loop, .pool = &p->pool, .dns = &p->dns};
}

void prober_close(struct prober *p)
{
    if (p->generation != NULL)
        generation_release(&p->generation);
    uv_close((uv_handle_t *)&p->timer, NULL);
    for (size_t i = 0; i < PROBER_AT_ONCE; i++) {
        if (p->slots[i].generation != NULL)
            probing_abort(&p->slots[i].probing);
    }
    dns_close(&p->dns);
}

void prober_fini(struct prober *p)
{
    dns_fini(&p->dns);
    pool_fini(&p->pool);
    free(p->views);
}
