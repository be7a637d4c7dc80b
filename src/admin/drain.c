/*
 * `drain`: no new users for a backend, and those who are there are told to go at a rate, the idle
 * ones first. Owns each drain from its first request until the backend is empty or `undrain`; goes
 * on without clients. A tick is one errand: what every worker may end in it is its share of the
 * sessions it had in the tick before.
 */
#include <stdlib.h>

#include "admin/commands.h"
#include "run/errand.h"

#define TICK_MS        500u
#define TICKS_A_REPORT 2u
#define RATE_MAX       100000
#define WHOLE          1000 /* of the thousandths of a session in `due` */

struct drain_part {
    uint64_t resting, busy;      /* that may still be told */
    uint64_t others;             /* about to leave, or to be logged in */
    uint64_t may_rest, may_busy; /* in this tick: so many */
    uint64_t told;               /* in this tick */
};

struct drain {
    struct list node;
    struct control *control; /* borrowed */
    struct fleet_backend *backend;
    struct errand errand;
    uv_timer_t timer;
    struct list watchers; /* of struct drain_watcher */
    json_int_t rate;      /* sessions a second */
    json_int_t due;       /* thousandths of a session; debts are possible */
    uint64_t last;        /* tick; loop time */
    uint64_t told;
    unsigned ticks;
    bool away;   /* the errand is under way */
    bool closed; /* the timer is gone */
    bool over;
    unsigned count;
    struct drain_part parts[];
};

/* Somebody who is shown how it goes. */
struct drain_watcher {
    struct list node;
    struct control_task task;
    struct control_client *client;
};

/* --- on a worker's thread --------------------------------------------------------------------- */

struct drain_visit {
    const struct fleet_backend *backend;
    struct drain_part *part;
};

/* True when it was told. */
static bool tell_one(struct drain_part *part, struct conn *c, uint64_t *may)
{
    uint32_t n;

    if (*may == 0)
        return false;
    n = conn_move_out(c, REASON_drained);
    part->told += n;
    *may -= n < *may ? n : *may;
    return true;
}

static void on_conn(void *ctx, struct conn *c)
{
    const struct drain_visit *visit = ctx;
    struct drain_part *part = visit->part;
    struct conn_view view;

    conn_look(c, &view);
    if (view.at != visit->backend)
        return;
    if (view.leaving || !view.relaying ||
        tell_one(part, c, view.resting ? &part->may_rest : &part->may_busy))
        part->others++;
    else if (view.resting)
        part->resting++;
    else
        part->busy++;
}

static void on_visit(struct errand *errand, struct worker *worker)
{
    struct drain *drain = container_of(errand, struct drain, errand);
    struct drain_part *part = &drain->parts[worker->index];
    struct drain_visit visit = {drain->backend, part};

    part->resting = part->busy = part->others = part->told = 0;
    conns_each(&worker->home, on_conn, &visit);
}

/* --- on the supervisor's ---------------------------------------------------------------------- */

static void free_if_done(struct drain *drain)
{
    if (drain->closed && !drain->away)
        free(drain);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct drain *drain = container_of(handle, struct drain, timer);

    drain->closed = true;
    free_if_done(drain);
}

/* Who asks for the same again begins anew. */
static void end(struct drain *drain)
{
    drain->over = true;
    list_unlink(&drain->node);
    uv_close((uv_handle_t *)&drain->timer, on_timer_closed);
}

struct drain_sum {
    uint64_t resting, busy, others;
};

static struct drain_sum sum_of(const struct drain *drain)
{
    struct drain_sum sum = {0};

    for (unsigned i = 0; i < drain->count; i++) {
        sum.resting += drain->parts[i].resting;
        sum.busy += drain->parts[i].busy;
        sum.others += drain->parts[i].others;
    }
    return sum;
}

static json_t *progress(const struct drain *drain)
{
    struct drain_sum sum = sum_of(drain);
    uint64_t all = sum.resting + sum.busy + sum.others;

    return json_pack("{so sI sI sI sI}", "backend", client_text(fleet_name(drain->backend)),
                     "sessions", (json_int_t)all, "busy", (json_int_t)sum.busy, "told",
                     (json_int_t)drain->told, "rate", drain->rate);
}

/* The drain is over for all who watch; `why` is NULL when the backend is empty. */
static void dismiss(struct drain *drain, const char *why)
{
    for (struct list *node = drain->watchers.next, *next; node != &drain->watchers; node = next) {
        struct drain_watcher *watcher = container_of(node, struct drain_watcher, node);
        struct control_client *client = watcher->client;
        next = node->next;
        client_forget(client);
        free(watcher);
        if (why == NULL)
            client_done(client, progress(drain));
        else
            client_fail(client, NULL, "%s", why);
    }
    list_init(&drain->watchers);
}

static void report(struct drain *drain)
{
    struct list *node = drain->watchers.next, *next;

    /* Who cannot be written to leaves the list. */
    for (; node != &drain->watchers; node = next) {
        next = node->next;
        client_say(container_of(node, struct drain_watcher, node)->client, progress(drain));
    }
}

static void on_done(struct errand *errand)
{
    struct drain *drain = container_of(errand, struct drain, errand);
    struct drain_sum sum = sum_of(drain);

    drain->away = false;
    for (unsigned i = 0; i < drain->count; i++) {
        drain->told += drain->parts[i].told;
        drain->due -= (json_int_t)drain->parts[i].told * WHOLE;
    }
    if (drain->over) {
        free_if_done(drain);
        return;
    }
    if (sum.resting + sum.busy + sum.others > 0 || fleet_sessions(drain->backend) > 0) {
        if (++drain->ticks % TICKS_A_REPORT == 0)
            report(drain);
        return;
    }
    end(drain);
    dismiss(drain, NULL);
}

/* What may be ended of `mine`, which stand behind `before` of `all`, when `n` of all may. The
 * shares of all parts add up to n, and rounding favours another part in each tick. */
static uint64_t share(const struct drain *drain, uint64_t n, uint64_t before, uint64_t mine,
                      uint64_t all)
{
    uint64_t phase = all == 0 ? 0 : drain->ticks * UINT64_C(0x9E3779B97F4A7C15) % all;

    return all == 0 ? 0 : (n * (before + mine) + phase) / all - (n * before + phase) / all;
}

static void allot(struct drain *drain)
{
    struct drain_sum all = sum_of(drain), before = {0};
    uint64_t n = drain->due < WHOLE ? 0 : (uint64_t)(drain->due / WHOLE);
    uint64_t resting = n < all.resting ? n : all.resting;
    uint64_t busy = n - resting < all.busy ? n - resting : all.busy;

    for (unsigned i = 0; i < drain->count; i++) {
        struct drain_part *part = &drain->parts[i];
        part->may_rest = share(drain, resting, before.resting, part->resting, all.resting);
        part->may_busy = share(drain, busy, before.busy, part->busy, all.busy);
        before.resting += part->resting;
        before.busy += part->busy;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct drain *drain = container_of(timer, struct drain, timer);
    uint64_t now = uv_now(timer->loop);
    json_int_t most = drain->rate * WHOLE; /* what a second makes due is not saved up */

    if (drain->away)
        return;
    drain->due += (json_int_t)(now - drain->last) * drain->rate;
    drain->due = drain->due > most ? most : drain->due;
    drain->last = now;
    allot(drain);
    drain->away = errand_send(&drain->control->supervisor->errands, &drain->errand);
}

/* --- requests --------------------------------------------------------------------------------- */

static struct drain *find(const struct control *control, const struct fleet_backend *backend)
{
    for (struct list *node = control->drains.next; node != &control->drains; node = node->next) {
        struct drain *drain = container_of(node, struct drain, node);
        if (drain->backend == backend)
            return drain;
    }
    return NULL;
}

static struct drain *begin(struct control *control, struct fleet_backend *backend)
{
    struct supervisor *s = control->supervisor;
    unsigned count = s->worker_count;
    struct drain *drain = calloc(1, sizeof(*drain) + count * sizeof(drain->parts[0]));

    if (drain == NULL)
        return NULL;
    drain->control = control;
    drain->backend = backend;
    drain->errand = (struct errand){.visit = on_visit, .done = on_done};
    drain->last = uv_now(&s->loop);
    drain->count = count;
    list_init(&drain->node);
    list_init(&drain->watchers);
    list_append(&control->drains, &drain->node);
    (void)uv_timer_init(&s->loop, &drain->timer);
    uv_timer_start(&drain->timer, on_tick, 0, TICK_MS);
    return drain;
}

static void on_gone(struct control_task *task)
{
    struct drain_watcher *watcher = container_of(task, struct drain_watcher, task);

    list_unlink(&watcher->node);
    free(watcher);
}

static bool watch(struct drain *drain, struct control_client *client)
{
    struct drain_watcher *watcher = calloc(1, sizeof(*watcher));

    if (watcher == NULL)
        return false;
    *watcher = (struct drain_watcher){.task = {.gone = on_gone}, .client = client};
    list_init(&watcher->node);
    list_append(&drain->watchers, &watcher->node);
    client_await(client, &watcher->task);
    return true;
}

void command_drain(struct control_client *client, const json_t *request)
{
    struct control *control = client_control(client);
    struct fleet_backend *backend = commands_backend(client, request);
    const json_t *rate = json_object_get(request, "rate");
    struct drain *drain;

    if (backend == NULL)
        return;
    if (rate != NULL && (json_integer_value(rate) < 1 || json_integer_value(rate) > RATE_MAX)) {
        client_fail(client, DRAIN_RATES, "\"rate\" is out of range");
        return;
    }
    fleet_set_draining(&control->supervisor->fleet, backend, true);
    if (rate == NULL) {
        commands_answer(client, backend);
        return;
    }
    drain = find(control, backend);
    if (drain == NULL)
        drain = begin(control, backend);
    if (drain != NULL)
        drain->rate = json_integer_value(rate);
    if (drain == NULL || !watch(drain, client))
        client_fail(client, NULL, "out of memory");
}

void drain_stop(struct control *control, const struct fleet_backend *backend, const char *why)
{
    struct drain *drain = find(control, backend);

    if (drain == NULL)
        return;
    end(drain);
    dismiss(drain, why);
}

void drains_close(struct control *control)
{
    while (!list_empty(&control->drains))
        end(container_of(control->drains.next, struct drain, node));
}
