/*
 * Workers in their own threads: mail, generations, the cap on sessions, draining and stopping.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "run/worker.h"
#include "support/connbed.h"
#include "support/sockets.h"
#include "waypost/net/socket.h"

#define PLAIN   "\"tls\": \"none\""
#define WORKERS 2

static struct connbed bed;
static struct worker workers[WORKERS];
static uv_async_t ended;
static struct peer client, backend;

static void on_ended(uv_async_t *async)
{
    (void)async;
}

static void init(unsigned i)
{
    struct worker_setup setup = {
        .log = &bed.log,
        .metrics = &bed.metrics,
        .generation = bed.generation,
        .listener_count = 1,
        .ended = &ended,
    };
    int fd = -1;

    cr_assert_eq(socket_listen("127.0.0.1", bed.front, &fd), 0);
    bed.front = socket_local(fd).port;
    cr_assert(worker_init(&workers[i], i, &setup));
    cr_assert(worker_listen(&workers[i], &bed.generation->conf->listeners[0], fd));
}

static void start(const char *extra)
{
    connbed_open(&bed, extra, PLAIN);
    bed.log.level = LEVEL_INFO;
    cr_assert_eq(uv_async_init(&bed.loop, &ended, on_ended), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        init(i);
    for (unsigned i = 0; i < WORKERS; i++)
        cr_assert(worker_start(&workers[i]));
}

static void post(enum letter_kind kind, struct generation *generation)
{
    for (unsigned i = 0; i < WORKERS; i++)
        cr_assert(worker_post(&workers[i], kind, generation));
}

static bool done(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        if (!worker_done(&workers[i]))
            return false;
    }
    return true;
}

static bool ends_within(unsigned ms)
{
    uint64_t end = uv_hrtime() + ms * 1000000ull;

    while (!done() && uv_hrtime() < end)
        connbed_turn(&bed);
    return done();
}

static void finish(void)
{
    post(LETTER_STOP, NULL);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_end(&workers[i]);
    uv_close((uv_handle_t *)&ended, NULL);
    connbed_close(&bed);
}

Test(worker, serves_and_stops)
{
    start(NULL);
    for (unsigned i = 0; i < 8; i++) {
        connbed_log_in(&bed, &client, &backend);
        peer_say(&client, "b NOOP\r\n");
        cr_expect(peer_hears(&backend, "b NOOP\r\n"));
        peer_say(&backend, "b OK done\r\n");
        cr_expect(peer_hears(&client, "b OK done\r\n"));
        peer_close(&client);
        cr_expect(peer_hears_end(&backend));
        peer_close(&backend);
    }
    cr_expect_eq(metric_get(&bed.metrics.logins_succeeded), 8);
    post(LETTER_DRAIN, NULL);
    cr_expect(ends_within(5000));
    post(LETTER_DRAIN, NULL); /* into a closed mailbox */
    finish();
}

Test(worker, drains_with_a_bye_and_accepts_nobody)
{
    start(NULL);
    connbed_log_in(&bed, &client, &backend);
    post(LETTER_DRAIN, NULL);
    cr_expect(peer_hears(&client, "* BYE "));
    cr_expect(peer_hears_end(&client));
    peer_close(&client);
    peer_close(&backend);
    cr_expect(ends_within(5000));
    connbed_connect(&bed, 0, &client);
    cr_expect_not(peer_secure(&client, bed.ctx, "proxy.test"));
    peer_die(&client);
    finish();
}

Test(worker, stops_without_waiting_for_anybody)
{
    start(NULL);
    connbed_log_in(&bed, &client, &backend);
    peer_say(&client, "b FETCH 1 BODY[]\r\n");
    cr_assert(peer_hears(&backend, "FETCH"));
    peer_say(&backend, "* 1 FETCH (BODY[] {100000}\r\nabc");
    cr_assert(peer_hears(&client, "abc"));
    post(LETTER_DRAIN, NULL);
    cr_expect_not(ends_within(200), "left in the middle of a literal");
    post(LETTER_STOP, NULL);
    cr_expect(ends_within(1000));
    cr_expect(connbed_logged(&bed, "event=end"));
    peer_die(&client);
    peer_close(&backend);
    finish();
}

Test(worker, cap_on_sessions_is_shared)
{
    struct peer others[4];

    start("\"limits\": {\"sessions\": 1}");
    connbed_log_in(&bed, &client, &backend);
    for (unsigned i = 0; i < COUNT_OF(others); i++) {
        connbed_connect(&bed, 0, &others[i]);
        cr_expect_not(peer_secure(&others[i], bed.ctx, "proxy.test"));
        peer_die(&others[i]);
    }
    cr_expect_eq(metric_get(&bed.metrics.sessions_ended[REASON_too_many_sessions]), 4);
    cr_expect_eq(metric_get(&bed.metrics.sessions_accepted), 1);
    cr_expect(connbed_logged(&bed, "event=turned_away"));
    peer_say(&client, "b NOOP\r\n");
    cr_expect(peer_hears(&backend, "b NOOP\r\n"));
    peer_close(&client);
    peer_close(&backend);
    finish();
}

static struct generation *load_another(const char *hostname)
{
    struct conf_errors errors = {NULL, 0};
    struct generation *generation = NULL;

    cr_assert(
        generation_load(testca_path(&bed.ca, "waypost.json"), &bed.tickets, &generation, &errors));
    snprintf(generation->conf->hostname, strlen(generation->conf->hostname) + 1, "%s", hostname);
    return generation;
}

Test(worker, sessions_keep_the_generation_they_began_with)
{
    struct generation *second;
    struct peer late;

    start(NULL);
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    cr_expect(peer_hears(&client, "proxy.test ready"));
    second = load_another("other.test");
    post(LETTER_CONF, second);
    for (unsigned i = 0; i < 100 && atomic_load(&bed.generation->references) > 2; i++)
        usleep(10000);
    cr_expect_eq(atomic_load(&bed.generation->references), 2, "the bed's and the session's");
    connbed_connect(&bed, 0, &late);
    cr_assert(peer_secure(&late, bed.ctx, "proxy.test"));
    cr_expect(peer_hears(&late, "other.test ready"));
    generation_release(&second);
    peer_close(&client);
    peer_close(&late);
    finish();
}

Test(worker, ends_without_having_started)
{
    connbed_open(&bed, NULL, PLAIN);
    cr_assert_eq(uv_async_init(&bed.loop, &ended, on_ended), 0);
    init(0);
    cr_assert(worker_post(&workers[0], LETTER_CONF, bed.generation));
    worker_end(&workers[0]);
    uv_close((uv_handle_t *)&ended, NULL);
    connbed_close(&bed);
}
