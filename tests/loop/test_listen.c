/*
 * Listening sockets: several on one port, and none of them spinning when descriptors run out.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/sockets.h"
#include "waypost/net/listen.h"
#include "waypost/net/socket.h"

#define CLIENTS 40

struct bed {
    uv_loop_t loop;
    struct log log;
    unsigned lines; /* logged */
    char line[256];
    int accepted[CLIENTS];
    unsigned count;
    struct addr remote;
    struct listener listeners[2];
};

static struct bed bed;

static void sink(void *ctx, enum log_level level, struct slice line)
{
    struct bed *b = ctx;

    (void)level;
    b->lines++;
    snprintf(b->line, sizeof(b->line), "%.*s", SLICE_ARG(line));
}

static void on_accepted(void *ctx, int fd, const struct addr *remote)
{
    struct bed *b = ctx;

    cr_assert_lt(b->count, CLIENTS);
    b->accepted[b->count++] = fd;
    b->remote = *remote;
}

static void setup(void)
{
    memset(&bed, 0, sizeof(bed));
    bed.log = (struct log){LEVEL_INFO, FORMAT_TEXT, sink, &bed};
    uv_loop_init(&bed.loop);
}

static void teardown(void)
{
    uv_run(&bed.loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < bed.count; i++)
        close(bed.accepted[i]);
    cr_assert_eq(uv_loop_close(&bed.loop), 0);
}

TestSuite(listen, .init = setup, .fini = teardown);

static int listening(const char *host, uint16_t port)
{
    int fd = -1, error = socket_listen(host, port, &fd);

    cr_assert_eq(error, 0, "%s: %s", host, strerror(error));
    return fd;
}

static void start(unsigned i, int fd)
{
    struct listener *l = &bed.listeners[i];

    cr_assert(listener_start(l, &bed.loop, fd, "imaps", &bed.log, on_accepted, &bed));
}

static void turn_for(unsigned ms)
{
    uint64_t end = uv_hrtime() + ms * 1000000ull;

    while (uv_hrtime() < end) {
        uv_run(&bed.loop, UV_RUN_NOWAIT);
        usleep(500);
    }
}

Test(listen, sockets_of_one_port_share_the_clients)
{
    int first = listening("127.0.0.1", 0), clients[CLIENTS];
    uint16_t port = socket_local(first).port;

    cr_expect_gt(port, 0);
    start(0, first);
    start(1, listening("127.0.0.1", port));
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = tcp_connect(port);
    for (unsigned i = 0; i < 500 && bed.count < CLIENTS; i++)
        turn_for(1);
    cr_expect_eq(bed.count, CLIENTS);
    cr_expect_gt(bed.remote.port, 0);
    listener_stop(&bed.listeners[0], NULL);
    listener_stop(&bed.listeners[0], NULL);
    listener_stop(&bed.listeners[1], NULL);
    for (unsigned i = 0; i < CLIENTS; i++)
        close(clients[i]);
}

Test(listen, wildcard_serves_both_families)
{
    int fd = -1, client;

    if (socket_listen("::", 0, &fd) != 0)
        cr_skip_test("no IPv6 here");
    client = tcp_connect(socket_local(fd).port);
    start(0, fd);
    for (unsigned i = 0; i < 500 && bed.count < 1; i++)
        turn_for(1);
    cr_expect_eq(bed.count, 1);
    cr_expect(addr_is_v4(&bed.remote), "an IPv4 client must look like one");
    listener_stop(&bed.listeners[0], NULL);
    close(client);
}

Test(listen, errors_are_told)
{
    uint16_t port;
    int fd = -1, holder = tcp_listen(1, &port);

    cr_expect_eq(socket_listen("127.0.0.1", port, &fd), EADDRINUSE);
    cr_expect_eq(socket_listen("mail.example.org", 0, &fd), EINVAL);
    cr_expect_eq(fd, -1);
    close(holder);
}

static void allow_descriptors(size_t n)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = n;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static unsigned turns_in(unsigned ms)
{
    uint64_t end = uv_hrtime() + ms * 1000000ull;
    unsigned turns = 0;

    for (; uv_hrtime() < end; turns++)
        uv_run(&bed.loop, UV_RUN_ONCE);
    return turns;
}

static uv_timer_t tick;

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

Test(listen, t82_out_of_descriptors_pauses_and_recovers)
{
    int fd = listening("127.0.0.1", 0), clients[12];
    uint16_t port = socket_local(fd).port;
    unsigned turns;
    char byte;

    start(0, fd);
    uv_timer_init(&bed.loop, &tick);
    uv_timer_start(&tick, on_tick, 50, 50); /* so that a turn that waits ends */
    for (unsigned i = 0; i < COUNT_OF(clients); i++)
        clients[i] = tcp_connect(port);
    allow_descriptors((size_t)clients[COUNT_OF(clients) - 1] + 3); /* room for two */
    turns = turns_in(200);
    cr_expect_eq(bed.count, 2);
    cr_expect_eq(bed.lines, 1, "%u lines about one pause", bed.lines);
    cr_expect_not_null(strstr(bed.line, "event=accept_paused listener=imaps"));
    cr_expect_lt(turns, 20, "%u turns in 200 ms: the loop spins", turns);
    cr_expect_eq(receive_some(clients[2], &byte, 1), 0, "the longest waiting is turned away");
    cr_expect_eq(receive_some(clients[3], &byte, 1), -1, "the others wait");

    allow_descriptors((size_t)clients[COUNT_OF(clients) - 1] + 64);
    turn_for(2 * LISTEN_PAUSE_MS);
    cr_expect_eq(bed.count, COUNT_OF(clients) - 1);
    listener_stop(&bed.listeners[0], NULL);
    uv_close((uv_handle_t *)&tick, NULL);
    for (unsigned i = 0; i < COUNT_OF(clients); i++)
        close(clients[i]);
}

Test(listen, stopped_while_paused)
{
    int fd = listening("127.0.0.1", 0), client = tcp_connect(socket_local(fd).port);

    start(0, fd);
    allow_descriptors((size_t)client + 1);
    turn_for(20);
    cr_expect_eq(bed.count, 0);
    cr_expect_eq(bed.lines, 1);
    listener_stop(&bed.listeners[0], NULL);
    close(client);
}
