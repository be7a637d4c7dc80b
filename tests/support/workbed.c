/*
 * Owns workers and the bed before which they stand. What cannot be set up fails the test.
 */
#include "support/workbed.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/sockets.h"
#include "waypost/net/socket.h"

static void on_ended(uv_async_t *async)
{
    (void)async;
}

static void disturb(void *ctx)
{
    struct workbed *bed = ctx;

    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        worker_disturb(&bed->workers[i]);
}

static void bind_one(struct binding *binding, const struct conf_listener *conf)
{
    uint16_t port = 0;

    *binding = (struct binding){.conf = conf, .kept = BINDING_NEW};
    binding->fds = calloc(WORKBED_WORKERS, sizeof(*binding->fds));
    cr_assert_not_null(binding->fds);
    for (unsigned i = 0; i < WORKBED_WORKERS; i++) {
        cr_assert_eq(socket_listen("127.0.0.1", port, &binding->fds[i]), 0);
        binding->address = socket_local(binding->fds[i]);
        port = binding->address.port;
    }
}

/* Never at the ports of the configuration, which may be somebody's. */
static void bind_all(struct workbed *bed)
{
    const struct conf *conf = bed->conns.generation->conf;

    bed->bindings = (struct bindings){.count = conf->listener_count, .workers = WORKBED_WORKERS};
    bed->bindings.list = calloc(conf->listener_count, sizeof(*bed->bindings.list));
    cr_assert_not_null(bed->bindings.list);
    for (size_t i = 0; i < conf->listener_count; i++)
        bind_one(&bed->bindings.list[i], &conf->listeners[i]);
    bed->conns.front = bed->bindings.list[0].address.port;
}

void workbed_open(struct workbed *bed, const char *extra)
{
    connbed_open(&bed->conns, extra, "\"tls\": \"none\"");
    bed->conns.log.level = LEVEL_INFO;
    bed->conns.registry.disturb = disturb;
    bed->conns.registry.ctx = bed;
    cr_assert_eq(uv_async_init(&bed->conns.loop, &bed->ended, on_ended), 0);
    bind_all(bed);
}

void workbed_init(struct workbed *bed, unsigned i)
{
    struct worker_setup setup = {
        .log = &bed->conns.log,
        .metrics = &bed->conns.metrics,
        .seating = &bed->conns.seating,
        .generation = bed->conns.generation,
        .ended = &bed->ended,
    };

    cr_assert(worker_init(&bed->workers[i], i, &setup));
    cr_assert(worker_listen(&bed->workers[i], &bed->bindings));
}

void workbed_start(struct workbed *bed, const char *extra)
{
    workbed_open(bed, extra);
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        workbed_init(bed, i);
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        cr_assert(worker_start(&bed->workers[i]));
}

void workbed_post(struct workbed *bed, enum letter_kind kind)
{
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        cr_assert(worker_post(&bed->workers[i], kind));
}

struct change {
    struct letter letter;
    struct generation *generation;
    struct doors_plan plan;
    atomic_bool made;
};

static void on_change(struct letter *letter, struct worker *worker)
{
    struct change *change = container_of(letter, struct change, letter);

    worker_use(worker, change->generation, &change->plan);
    atomic_store(&change->made, true);
}

void workbed_use(struct workbed *bed, struct generation *generation)
{
    for (size_t i = 0; i < bed->bindings.count; i++) {
        bed->bindings.list[i].conf = &generation->conf->listeners[i];
        bed->bindings.list[i].kept = i;
    }
    for (unsigned i = 0; i < WORKBED_WORKERS; i++) {
        struct change change = {{.kind = LETTER_VISIT, .visit = on_change}, generation, {0}, false};
        cr_assert(doors_prepare(&bed->bindings, i, &change.plan));
        worker_mail(&bed->workers[i], &change.letter);
        while (!atomic_load(&change.made))
            connbed_turn(&bed->conns);
        doors_plan_fini(&change.plan);
    }
}

static bool done(const struct workbed *bed)
{
    for (unsigned i = 0; i < WORKBED_WORKERS; i++) {
        if (!worker_done(&bed->workers[i]))
            return false;
    }
    return true;
}

bool workbed_ends(struct workbed *bed, unsigned ms)
{
    uint64_t end = uv_hrtime() + ms * 1000000ull;

    while (!done(bed) && uv_hrtime() < end)
        connbed_turn(&bed->conns);
    return done(bed);
}

void workbed_stop(struct workbed *bed)
{
    workbed_post(bed, LETTER_STOP);
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        worker_end(&bed->workers[i]);
}

void workbed_close(struct workbed *bed)
{
    bindings_close(&bed->bindings);
    uv_close((uv_handle_t *)&bed->ended, NULL);
    connbed_close(&bed->conns);
}
