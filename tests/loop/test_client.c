/*
 * A client of the control socket that is slow, silent or rude. What its requests mean is the
 * business of the system tests.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/client.h"

#define PATIENCE_MS 100u
#define LIMIT_MS    20000u /* for anything that must happen */

static struct supervisor supervisor; /* its loop is all that a client touches here */
static struct control control;
static int peer;

static void setup(void)
{
    int fds[2];

    signal(SIGPIPE, SIG_IGN); /* as the proxy does */
    cr_assert_eq(uv_loop_init(&supervisor.loop), 0);
    control = (struct control){.supervisor = &supervisor, .patience = PATIENCE_MS};
    list_init(&control.clients);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    peer = fds[1];
    client_begin(&control, fds[0]);
}

static void teardown(void)
{
    while (!list_empty(&control.clients))
        client_close(client_of(control.clients.next));
    uv_run(&supervisor.loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&supervisor.loop), 0);
    cr_expect_eq(control.client_count, 0);
    close(peer);
}

TestSuite(client, .init = setup, .fini = teardown);

static void turn(void)
{
    uv_run(&supervisor.loop, UV_RUN_NOWAIT);
    usleep(1000);
}

/* Whether it is let go while `meanwhile` is done over and over. */
static bool let_go(void (*meanwhile)(void))
{
    uint64_t end = uv_hrtime() + LIMIT_MS * 1000000ull;

    while (control.client_count > 0 && uv_hrtime() < end) {
        meanwhile();
        turn();
    }
    return control.client_count == 0;
}

static void nothing(void)
{
}

static void drip(void)
{
    (void)!write(peer, "x", 1);
}

static void pour(void)
{
    static const char line[] = "{\"command\":\"nonsense\"}\n";

    (void)!write(peer, line, strlen(line));
}

Test(client, silent)
{
    cr_expect(let_go(nothing));
}

/* What comes byte by byte gets no more time for that. */
Test(client, half_a_request)
{
    uint64_t began = uv_hrtime();

    cr_expect(let_go(drip));
    cr_expect_geq(uv_hrtime() - began, PATIENCE_MS * 900000ull);
}

Test(client, takes_no_answer)
{
    cr_expect(let_go(pour));
}

Test(client, endless_line)
{
    char bytes[4096];
    ssize_t len;

    memset(bytes, 'x', sizeof(bytes));
    for (unsigned i = 0; i < 1000; i++) {
        if (write(peer, bytes, sizeof(bytes)) < 0)
            i--;
        uv_run(&supervisor.loop, UV_RUN_NOWAIT);
    }
    cr_assert_eq(control.client_count, 1);
    while (write(peer, "\n", 1) < 0)
        turn();
    while ((len = read(peer, bytes, sizeof(bytes) - 1)) < 0)
        turn();
    bytes[len] = '\0';
    cr_expect_not_null(strstr(bytes, "the request is too long"));
}

Test(client, answers_of_a_client_that_has_left)
{
    pour();
    close(peer);
    cr_expect(let_go(nothing));
    peer = -1;
}
