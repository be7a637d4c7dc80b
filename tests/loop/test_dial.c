/*
 * Dialling over loopback: refused, black-holed and several addresses, and giving up at any moment.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "support/resolver.h"
#include "support/sockets.h"
#include "waypost/net/dial.h"
#include "waypost/net/socket.h"

struct bed {
    uv_loop_t loop;
    struct dns dns;
    char detail[128];
    struct dial *dial;
    struct dial_outcome outcome;
    unsigned done;
    size_t descriptors;
};

static struct bed bed;

static void on_done(void *ctx, const struct dial_outcome *outcome)
{
    struct bed *b = ctx;

    b->done++;
    b->outcome = *outcome;
    b->dial = NULL;
}

static void setup(void)
{
    memset(&resolver, 0, sizeof(resolver));
    memset(&bed, 0, sizeof(bed));
    bed.outcome.fd = -1;
    uv_loop_init(&bed.loop);
    dns_init(&bed.dns, &bed.loop);
    bed.descriptors = open_descriptors();
}

/* However a dial went: told once, nothing left in the loop, no descriptor lost. */
static void teardown(void)
{
    dns_close(&bed.dns);
    dns_fini(&bed.dns);
    if (bed.outcome.fd >= 0)
        close(bed.outcome.fd);
    cr_assert_eq(uv_loop_close(&bed.loop), 0);
}

TestSuite(dial, .init = setup, .fini = teardown);

static void start_to(struct dial_to to)
{
    bed.dial = dial_start(&bed.loop, &bed.dns, &to, STR_ON(bed.detail), on_done, &bed);
    cr_assert_not_null(bed.dial);
    cr_assert_eq(bed.done, 0, "told before dial_start returned");
}

static void start(const char *host, uint16_t port)
{
    start_to((struct dial_to){.host = host, .port = port});
}

static void finish(void)
{
    uv_run(&bed.loop, UV_RUN_DEFAULT);
    cr_assert_eq(bed.done, 1);
}

Test(dial, connects)
{
    uint16_t port;
    int listener = tcp_listen(1, &port), fd;
    char byte;

    start("127.0.0.1", port);
    finish();
    cr_assert_geq(bed.outcome.fd, 0);
    cr_expect_eq(bed.outcome.failure, PORT_FINE);
    cr_expect_eq(bed.outcome.remote.port, port);
    fd = accept(listener, NULL, NULL);
    send_all(bed.outcome.fd, "x", 1);
    cr_expect_eq(read(fd, &byte, 1), 1);
    close(fd);
    close(listener);
}

Test(dial, refusal_is_told_with_its_address)
{
    char want[64];
    uint16_t port;
    int holder = tcp_refusing(&port);

    start("127.0.0.1", port);
    finish();
    cr_expect_eq(bed.outcome.fd, -1);
    cr_expect_eq(bed.outcome.failure, PORT_CONNECT);
    snprintf(want, sizeof(want), "127.0.0.1:%u: connection refused", port);
    cr_expect_str_eq(bed.detail, want);
    close(holder);
    cr_expect_eq(open_descriptors(), bed.descriptors);
}

static void on_answer(uv_timer_t *timer)
{
    resolver_answer();
    uv_close((uv_handle_t *)timer, NULL);
}

static uv_timer_t answer_timer;

static void answer_in(unsigned ms)
{
    uv_timer_init(&bed.loop, &answer_timer);
    uv_timer_start(&answer_timer, on_answer, ms, 0);
}

Test(dial, failed_look_up)
{
    resolver.status = UV_EAI_NONAME;
    start("imap.test", 143);
    answer_in(1);
    finish();
    cr_expect_eq(bed.outcome.failure, PORT_RESOLVE);
    cr_expect_neq(bed.detail[0], '\0');
}

Test(dial, look_up_that_cannot_start)
{
    resolver.refuse = true;
    start("imap.test", 143);
    finish();
    cr_expect_eq(bed.outcome.failure, PORT_RESOLVE);
}

Test(dial, t84_next_address_is_tried_at_once_after_a_refusal)
{
    uint16_t port;
    int listener = tcp_listen(1, &port);
    uint64_t began = uv_hrtime();

    resolver.addresses[0] = "127.0.0.2";
    resolver.addresses[1] = "127.0.0.3";
    resolver.addresses[2] = "127.0.0.1";
    start("imap.test", port);
    answer_in(1);
    finish();
    cr_expect_geq(bed.outcome.fd, 0);
    cr_expect(strstr(bed.detail, "127.0.0.2") != NULL && strstr(bed.detail, "127.0.0.3") != NULL);
    cr_expect_lt((uv_hrtime() - began) / 1000000, DIAL_STAGGER_MS, "waited after a refusal");
    close(listener);
}

Test(dial, every_address_refused)
{
    uint16_t port;
    int holder = tcp_refusing(&port);

    for (unsigned i = 0; i < RESOLVER_ADDRESSES; i++)
        resolver.addresses[i] = "127.0.0.1";
    start("imap.test", port);
    answer_in(1);
    finish();
    cr_expect_eq(bed.outcome.failure, PORT_CONNECT);
    cr_expect_lt(strlen(bed.detail), sizeof(bed.detail));
    close(holder);
    cr_expect_eq(open_descriptors(), bed.descriptors);
}

/* A listener whose queue is full drops what comes next: nothing answers, nothing refuses. */
struct hole {
    int listener, fillers[8];
    uint16_t port;
};

static void dig(struct hole *hole)
{
    hole->listener = tcp_listen(0, &hole->port);
    for (unsigned i = 0; i < COUNT_OF(hole->fillers); i++)
        hole->fillers[i] = tcp_connect(hole->port);
}

static void fill_in(const struct hole *hole)
{
    close(hole->listener);
    for (unsigned i = 0; i < COUNT_OF(hole->fillers); i++)
        close(hole->fillers[i]);
}

Test(dial, t84_black_hole_does_not_eat_the_deadline)
{
    struct hole hole;
    uint64_t began, took;
    int listener;

    dig(&hole);
    listener = tcp_listen_at("127.0.0.2", hole.port);
    resolver.addresses[0] = "127.0.0.1";
    resolver.addresses[1] = "127.0.0.2";
    began = uv_hrtime();
    start("imap.test", hole.port);
    answer_in(1);
    finish();
    took = (uv_hrtime() - began) / 1000000;
    cr_expect_geq(bed.outcome.fd, 0);
    cr_expect_geq(took, DIAL_STAGGER_MS - 10, "the hole answered: this test tests nothing");
    cr_expect_lt(took, 4 * DIAL_STAGGER_MS);
    close(listener);
    fill_in(&hole);
}

static void on_cancel(uv_timer_t *timer)
{
    dial_cancel(bed.dial);
    dial_cancel(bed.dial);
    uv_close((uv_handle_t *)timer, NULL);
}

static uv_timer_t cancel_timer;

static void cancel_in(unsigned ms)
{
    uv_timer_init(&bed.loop, &cancel_timer);
    uv_timer_start(&cancel_timer, on_cancel, ms, 0);
}

Test(dial, cancelled_while_connecting)
{
    struct hole hole;

    dig(&hole);
    resolver.addresses[0] = "127.0.0.1";
    resolver.addresses[1] = "127.0.0.1";
    bed.descriptors = open_descriptors();
    start("imap.test", hole.port);
    answer_in(1);
    cancel_in(DIAL_STAGGER_MS + 50);
    finish();
    cr_expect_eq(bed.outcome.fd, -1);
    cr_expect_eq(bed.outcome.failure, PORT_FINE);
    cr_expect_eq(open_descriptors(), bed.descriptors);
    fill_in(&hole);
}

Test(dial, cancelled_while_looking_up)
{
    start("imap.test", 143);
    cancel_in(1);
    finish();
    cr_expect_eq(bed.outcome.failure, PORT_FINE);
    resolver_answer();
    cr_expect_eq(bed.done, 1, "told after cancellation");
}

Test(dial, cancelled_before_the_first_turn)
{
    uint16_t port;
    int listener = tcp_listen(1, &port);

    bed.descriptors = open_descriptors();
    start("127.0.0.1", port);
    dial_cancel(bed.dial);
    finish();
    cr_expect_eq(bed.outcome.fd, -1);
    cr_expect_eq(open_descriptors(), bed.descriptors);
    close(listener);
}

Test(dial, t84_slow_look_up_takes_the_last_good_answer)
{
    uint16_t port;
    int listener = tcp_listen(4, &port);
    uint64_t began;

    resolver.addresses[0] = "127.0.0.1";
    start("imap.test", port);
    answer_in(1);
    finish();
    close(bed.outcome.fd);
    dns_expire(&bed.dns);
    bed.done = 0;
    began = uv_hrtime();
    start("imap.test", port);
    cr_assert_not_null(resolver.pending);
    finish();
    cr_expect_geq(bed.outcome.fd, 0);
    cr_expect_lt((uv_hrtime() - began) / 1000000, 2 * DNS_PATIENCE_MS);
    resolver_answer();
    close(listener);
}

/* --- from where --------------------------------------------------------------------------------
 */

#define NOT_OURS "192.0.2.1" /* RFC 5737 */

/* Dials `host` from the given addresses, which end with NULL. */
static void start_from(const char *host, uint16_t port, const char *const *from)
{
    static struct addr sources[8];
    size_t count = 0;

    for (; from[count] != NULL; count++)
        cr_assert(addr_parse(slice_str(from[count]), &sources[count]));
    start_to((struct dial_to){host, port, sources, count});
}

/* The near end of one connection that was made. */
static const char *came_from(const char *host, uint16_t port, const char *const *from)
{
    static char text[ADDR_TEXT];
    struct addr near;

    bed.done = 0;
    start_from(host, port, from);
    finish();
    cr_assert_geq(bed.outcome.fd, 0, "%s", bed.detail);
    near = socket_local(bed.outcome.fd);
    close(bed.outcome.fd);
    bed.outcome.fd = -1;
    return addr_format(&near, false, text);
}

Test(dial, t87_every_source_has_its_share)
{
    static const char *const from[] = {"127.0.0.2", "::1", "127.0.0.3", NULL};
    unsigned second = 0, third = 0;
    uint16_t port;
    int listener = tcp_listen(128, &port);

    /* That chance leaves one of them out happens once in 10^19 times. */
    for (unsigned i = 0; i < 64; i++) {
        const char *near = came_from("127.0.0.1", port, from);
        second += strcmp(near, "127.0.0.2") == 0;
        third += strcmp(near, "127.0.0.3") == 0;
    }
    cr_expect_eq(second + third, 64);
    cr_expect_gt(second, 0);
    cr_expect_gt(third, 0);
    close(listener);
}

Test(dial, t87_a_source_that_is_not_to_be_had_is_passed_over)
{
    static const char *const from[] = {NOT_OURS, "127.0.0.2", NULL};
    uint16_t port;
    int listener = tcp_listen(128, &port);

    for (unsigned i = 0; i < 32; i++)
        cr_assert_str_eq(came_from("127.0.0.1", port, from), "127.0.0.2");
    close(listener);
    cr_expect_eq(open_descriptors(), bed.descriptors);
}

Test(dial, t87_no_source_that_can_be_used)
{
    static const struct {
        const char *from[3], *why;
    } rows[] = {
        {{NOT_OURS, NULL}, "every source address lacks a free port, or is not of this machine"},
        {{"::1", "2001:db8::1", NULL}, "no source address of its family"},
    };
    uint16_t port;
    int listener = tcp_listen(1, &port);
    char want[128];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bed.done = 0;
        start_from("127.0.0.1", port, rows[i].from);
        finish();
        cr_expect_eq(bed.outcome.fd, -1, "%s", rows[i].why);
        cr_expect_eq(bed.outcome.failure, PORT_LOCAL, "%s", rows[i].why);
        snprintf(want, sizeof(want), "127.0.0.1:%u: %s", port, rows[i].why);
        cr_expect_str_eq(bed.detail, want);
    }
    close(listener);
    cr_expect_eq(open_descriptors(), bed.descriptors);
}
