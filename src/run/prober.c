/*
 * Starts probes when they are due. Owns a pool, a name cache and the probes under way, each with a
 * reference to the generation it began under. Never waits: a backend that hangs holds one of many
 * places, and only that. Keeps no opinion about a backend, which is the fleet's to have.
 */
#include "run/prober.h"

#include <stdlib.h>
#include <sys/random.h>

struct look {
    struct probing probing;
    struct list node; /* in home->looks */
    struct prober *home;
    struct generation *generation; /* one reference */
};

static void go_on(struct prober *p);

/* --- results ---------------------------------------------------------------------------------- */

static void tell_failure(const struct prober *p, const struct probe *probe)
{
    struct log_line line;

    if (!log_begin(&line, p->log, LEVEL_DEBUG, "probe_failed"))
        return;
    log_text(&line, "backend", slice_str(probe->backend->name));
    log_text(&line, "why", slice_str(probe->why));
    log_end(&line);
}

static uint32_t any_number(void)
{
    uint32_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        return 0;
    return random;
}

static void take_in(struct prober *p, const struct probe *probe)
{
    struct generation *generation = p->generation;
    const struct session_lore *lore = &generation->lore.view;
    struct fleet_backend *b = generation->fleet[probe->backend->index];
    uint64_t now = uv_now(p->home.loop);
    bool unsettled;

    if (probe->up)
        lore->note(lore->ctx, probe->backend, LORE_BEFORE_LOGIN, caps_words(&probe->caps));
    else
        tell_failure(p, probe);
    if (!probe->ours)
        fleet_probed(p->fleet, b, probe->up, probe->why, probe->silent, now);
    unsettled = fleet_unsettled(p->fleet, b);
    agenda_add(&p->agenda, probe->backend->index,
               now + agenda_pause(probe->backend->probe.interval, unsettled, any_number()));
}

static void on_done(struct probing *probing)
{
    struct look *look = container_of(probing, struct look, probing);
    struct prober *p = look->home;

    /* What a reload has overtaken is looked at again anyway. */
    if (look->generation == p->generation)
        take_in(p, &probing->probe);
    probe_fini(&probing->probe);
    generation_release(&look->generation);
    list_unlink(&look->node);
    free(look);
    p->look_count--;
    go_on(p);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void start(struct prober *p, size_t index)
{
    struct look *look = malloc(sizeof(*look));

    if (look == NULL) {
        agenda_add(&p->agenda, index, uv_now(p->home.loop) + AGENDA_HURRY);
        return;
    }
    look->home = p;
    look->generation = generation_hold(p->generation);
    list_append(&p->looks, &look->node);
    p->look_count++;
    probing_start(&look->probing, &p->home, &p->generation->conf->routes->backends[index],
                  p->generation->tls, on_done);
}

static void on_timer(uv_timer_t *timer)
{
    go_on(container_of(timer, struct prober, timer));
}

/* Looks at whatever is due, as far as there are places, and then sleeps until the next is. */
static void go_on(struct prober *p)
{
    uint64_t now = uv_now(p->home.loop), due;
    size_t index;

    if (p->generation == NULL)
        return;
    while (p->look_count < LIMIT_PROBES && agenda_take(&p->agenda, now, &index))
        start(p, index);
    due = agenda_due(&p->agenda);
    if (p->look_count == LIMIT_PROBES || due == AGENDA_NEVER)
        uv_timer_stop(&p->timer);
    else
        uv_timer_start(&p->timer, on_timer, due > now ? due - now : 0, 0);
}

static bool is_unsettled(void *ctx, size_t index)
{
    struct prober *p = ctx;

    return fleet_unsettled(p->fleet, p->generation->fleet[index]);
}

static void on_alarm(uv_async_t *alarm)
{
    struct prober *p = container_of(alarm, struct prober, alarm);

    if (p->generation == NULL)
        return;
    agenda_hurry(&p->agenda, is_unsettled, p, uv_now(p->home.loop));
    go_on(p);
}

void prober_hurry(struct prober *p)
{
    int error = uv_async_send(&p->alarm);

    ENSURE(error == 0);
}

void prober_use(struct prober *p, struct generation *generation)
{
    const struct conf_routes *routes = generation->conf->routes;
    struct agenda agenda;

    if (generation->fleet == NULL || !agenda_init(&agenda, routes->backend_count))
        return; /* sessions learn by themselves, if later */
    if (p->generation != NULL)
        generation_release(&p->generation);
    p->generation = generation_hold(generation);
    agenda_fini(&p->agenda);
    p->agenda = agenda;
    for (size_t i = 0; i < routes->backend_count; i++) {
        if (routes->backends[i].probe.interval > 0)
            agenda_add(&p->agenda, i, 0);
    }
    dns_expire(&p->dns);
    go_on(p);
}

/* --- begin and end ---------------------------------------------------------------------------- */

void prober_init(struct prober *p, uv_loop_t *loop, const struct log *log, struct fleet *fleet)
{
    int error;

    *p = (struct prober){.log = log, .fleet = fleet};
    pool_init(&p->pool);
    dns_init(&p->dns, loop);
    list_init(&p->looks);
    uv_timer_init(loop, &p->timer);
    error = uv_async_init(loop, &p->alarm, on_alarm);
    ENSURE(error == 0);
    p->home = (struct probing_home){.loop = loop, .pool = &p->pool, .dns = &p->dns};
}

void prober_close(struct prober *p)
{
    if (p->generation != NULL)
        generation_release(&p->generation);
    uv_close((uv_handle_t *)&p->timer, NULL);
    uv_close((uv_handle_t *)&p->alarm, NULL);
    for (struct list *node = p->looks.next; node != &p->looks; node = node->next)
        probing_abort(&container_of(node, struct look, node)->probing);
    dns_close(&p->dns);
}

void prober_fini(struct prober *p)
{
    agenda_fini(&p->agenda);
    dns_fini(&p->dns);
    pool_fini(&p->pool);
}
