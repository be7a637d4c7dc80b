/*
 * One step of a handshake in each turn of the loop, and everybody else before it.
 */
#include "run/turnstile.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "support/connbed.h"

struct walker {
    struct list node;
    unsigned passed, again;
};

static uv_loop_t loop;
static struct turnstile turnstile;

static void pass(struct list *node)
{
    struct walker *walker = container_of(node, struct walker, node);

    walker->passed++;
    if (walker->again > 0) {
        walker->again--;
        turnstile_queue(&turnstile, node);
    }
}

static void walkers_init(struct walker *walkers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        walkers[i] = (struct walker){.passed = 0};
        list_init(&walkers[i].node);
        turnstile_queue(&turnstile, &walkers[i].node);
    }
}

static void begin(void)
{
    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(turnstile_init(&turnstile, &loop, pass), 0);
}

static void end(void)
{
    turnstile_close(&turnstile);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

Test(turnstile, one_in_each_turn_in_order, .init = begin, .fini = end)
{
    struct walker walkers[4];

    walkers_init(walkers, 4);
    turnstile_queue(&turnstile, &walkers[0].node); /* is in there already */
    for (size_t turn = 0; turn < 4; turn++) {
        cr_expect_neq(uv_run(&loop, UV_RUN_NOWAIT), turn == 3, "turn %zu", turn);
        for (size_t i = 0; i < 4; i++)
            cr_expect_eq(walkers[i].passed, i <= turn, "walker %zu, turn %zu", i, turn);
    }
    cr_expect(turnstile_free(&turnstile));
}

Test(turnstile, whoever_comes_again_stands_at_the_end, .init = begin, .fini = end)
{
    struct walker walkers[2];

    walkers_init(walkers, 2);
    walkers[0].again = 1;
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_run(&loop, UV_RUN_NOWAIT);
    cr_expect(walkers[0].passed == 1 && walkers[1].passed == 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(walkers[0].passed, 2);
}

Test(turnstile, whoever_has_left_does_not_pass, .init = begin, .fini = end)
{
    struct walker walkers[2];

    walkers_init(walkers, 2);
    list_unlink(&walkers[0].node);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(walkers[0].passed == 0 && walkers[1].passed == 1);
}

/* --- connections ------------------------------------------------------------------------------ */

#define CROWD 4u

static struct connbed bed;
static struct peer client, backend, crowd[CROWD];

static uint64_t failed(void)
{
    return metric_get(&bed.metrics.sessions_ended[REASON_handshake_failed]);
}

/* Without a turn of the loop. */
static void put(const struct peer *peer, const char *text)
{
    cr_assert_eq(write(peer->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* What is no TLS makes a handshake fail, in its turn. */
Test(turnstile, a_storm_of_handshakes_lets_sessions_go_first, .timeout = 60)
{
    uint64_t before;

    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    cr_assert_eq(turnstile_init(&turnstile, &bed.loop, conn_pass), 0);
    bed.home.turnstile = &turnstile;
    connbed_log_in(&bed, &client, &backend);
    for (unsigned i = 0; i < CROWD; i++)
        connbed_connect(&bed, 0, &crowd[i]);
    for (unsigned i = 0; i < CROWD; i++)
        put(&crowd[i], "GET / HTTP/1.0\r\n\r\n");
    cr_assert_eq(SSL_write(client.ssl, "b NOOP\r\n", 8), 8);
    before = metric_get(&bed.metrics.bytes_to_backend);
    uv_run(&bed.loop, UV_RUN_NOWAIT);
    cr_expect_eq(failed(), 1);
    cr_expect_eq(metric_get(&bed.metrics.bytes_to_backend), before + 8, "the session had to wait");
    for (uint64_t turn = 2; turn <= CROWD; turn++) {
        uv_run(&bed.loop, UV_RUN_NOWAIT);
        cr_expect_eq(failed(), turn);
    }
    cr_expect(peer_hears(&backend, "b NOOP\r\n"));
    for (unsigned i = 0; i < CROWD; i++)
        peer_close(&crowd[i]);
    peer_close(&client);
    peer_close(&backend);
    cr_expect(connbed_empties(&bed));
    bed.home.turnstile = NULL;
    turnstile_close(&turnstile);
    connbed_close(&bed);
}
