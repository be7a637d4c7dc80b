/*
 * Owns workers and the bed before which they stand. What cannot be set up fails the test.
 */
#include "support/workbed.h"

#include <criterion/criterion.h>

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

void workbed_open(struct workbed *bed, const char *extra)
{
    connbed_open(&bed->conns, extra, "\"tls\": \"none\"");
    bed->conns.log.level = LEVEL_INFO;
    bed->conns.registry.disturb = disturb;
    bed->conns.registry.ctx = bed;
    cr_assert_eq(uv_async_init(&bed->conns.loop, &bed->ended, on_ended), 0);
}

void workbed_init(struct workbed *bed, unsigned i)
{
    struct worker_setup setup = {
        .log = &bed->conns.log,
        .metrics = &bed->conns.metrics,
        .seating = &bed->conns.seating,
        .generation = bed->conns.generation,
        .listener_count = 1,
        .ended = &bed->ended,
    };
    int fd = -1;

    cr_assert_eq(socket_listen("127.0.0.1", bed->conns.front, &fd), 0);
    bed->conns.front = socket_local(fd).port;
    cr_assert(worker_init(&bed->workers[i], i, &setup));
    cr_assert(worker_listen(&bed->workers[i], &bed->conns.generation->conf->listeners[0], fd));
}

void workbed_start(struct workbed *bed, const char *extra)
{
    workbed_open(bed, extra);
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        workbed_init(bed, i);
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        cr_assert(worker_start(&bed->workers[i]));
}

void workbed_post(struct workbed *bed, enum letter_kind kind, struct generation *generation)
{
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        cr_assert(worker_post(&bed->workers[i], kind, generation));
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
    workbed_post(bed, LETTER_STOP, NULL);
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        worker_end(&bed->workers[i]);
}

void workbed_close(struct workbed *bed)
{
    uv_close((uv_handle_t *)&bed->ended, NULL);
    connbed_close(&bed->conns);
}
