/*
 * What a reload makes of listeners, and of those who came to them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/sockets.h"
#include "support/supbed.h"

static struct supbed bed;
static struct supervisor *const s = &bed.s;
static const struct supbed_way imap = {"imap", 1, "starttls", ""};
static struct peer client, backend;

static void setup(void)
{
    supbed_open(&bed);
}

static void teardown(void)
{
    supbed_close(&bed);
}

TestSuite(listeners, .init = setup, .fini = teardown);

static bool reload_with(const struct supbed_way *ways, size_t count)
{
    supbed_write(&bed, ways, count, NULL);
    return supbed_reload(&bed);
}

static void log_in(unsigned port)
{
    bed.conns.front = bed.ports[port];
    connbed_log_in(&bed.conns, &client, &backend);
}

static void session_goes_on(void)
{
    peer_say(&client, "b NOOP\r\n");
    cr_expect(peer_hears(&backend, "b NOOP\r\n"));
    peer_say(&backend, "b OK done\r\n");
    cr_expect(peer_hears(&client, "b OK done\r\n"));
    peer_close(&client);
    peer_close(&backend);
}

/* Whether somebody who connects there is greeted in clear. */
static bool greets_in_clear(unsigned port)
{
    struct peer visitor;
    bool greeted;

    bed.conns.front = bed.ports[port];
    connbed_connect(&bed.conns, 0, &visitor);
    greeted = peer_hears(&visitor, "* OK ");
    peer_die(&visitor);
    return greeted;
}

static bool greets_in_tls(unsigned port)
{
    struct peer visitor;
    bool greeted;

    bed.conns.front = bed.ports[port];
    connbed_connect(&bed.conns, 0, &visitor);
    greeted = peer_secure(&visitor, bed.conns.ctx, "proxy.test") && peer_hears(&visitor, "* OK ");
    peer_die(&visitor);
    return greeted;
}

static bool refuses(unsigned port)
{
    struct sockaddr_in name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused;

    cr_assert_eq(uv_ip4_addr("127.0.0.1", bed.ports[port], &name), 0);
    refused = connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

Test(listeners, a_listener_is_opened)
{
    const struct supbed_way both[] = {supbed_imaps, imap};

    cr_assert(refuses(1));
    log_in(0);
    cr_assert(reload_with(both, 2));
    cr_expect(greets_in_clear(1));
    cr_expect(greets_in_tls(0));
    cr_expect(supbed_logged(&bed, "event=listening listener=imap "));
    session_goes_on();
}

Test(listeners, a_listener_is_closed_and_its_sessions_stay)
{
    const struct supbed_way both[] = {imap, {"second", 2, "implicit", ""}};

    cr_assert(reload_with(both, 2));
    cr_expect(refuses(0), "closed by the same reload that opened others");
    log_in(2);
    cr_assert(reload_with(&imap, 1));
    cr_expect(refuses(2));
    cr_expect(greets_in_clear(1));
    cr_expect(supbed_logged(&bed, "event=listener_closed listener=second "));
    session_goes_on();
}

Test(listeners, a_listener_changes_its_ways_at_the_same_socket)
{
    const struct supbed_way changed = {"other", 0, "starttls", ""};
    const struct supbed_way proxied = {"other", 0, "starttls",
                                       ", \"proxy_protocol\": {\"from\": [\"127.0.0.0/8\"]}"};

    log_in(0);
    cr_assert(reload_with(&changed, 1));
    cr_expect(greets_in_clear(0));
    cr_assert(reload_with(&proxied, 1));
    bed.conns.front = bed.ports[0];
    session_goes_on();
    connbed_connect(&bed.conns, 0, &client);
    peer_say(&client, "PROXY TCP4 192.0.2.7 192.0.2.8 1234 143\r\n");
    cr_expect(peer_hears(&client, "* OK "));
    peer_die(&client);
    cr_expect(supbed_logged(&bed, "event=listening listener=imaps "));
    cr_expect_not(supbed_logged(&bed, "listener=other address"), "opened once");
    cr_expect_not(supbed_logged(&bed, "event=listener_closed"));
}

Test(listeners, a_port_that_is_taken_leaves_everything_as_it_was)
{
    const struct supbed_way wanted[] = {
        {"other", 0, "starttls", ""}, imap, {"taken", 2, "implicit", ""}};
    const struct conf_errors *errors = &s->reloader.report.errors;
    struct generation *before = s->generation;
    size_t descriptors;

    close(bed.holders[2]);
    bed.holders[2] = tcp_listen(1, &bed.ports[2]);
    log_in(0);
    descriptors = open_descriptors();
    cr_expect_not(reload_with(wanted, 3));
    cr_expect_eq(open_descriptors(), descriptors);
    cr_assert_eq(errors->count, 1);
    cr_expect_str_eq(errors->list[0].pointer, "/listeners/2/address");
    cr_expect_eq(errors->list[0].line, 1);
    cr_expect_not_null(strstr(errors->list[0].text, "\"taken\" cannot listen on 127.0.0.1 port "));
    cr_expect_eq(s->generation, before);
    cr_expect(greets_in_tls(0));
    cr_expect(refuses(1), "what could be bound was let go again");
    session_goes_on();
}

static atomic_uint blocked;
static atomic_bool released;

static void on_block(struct errand *errand, struct worker *worker)
{
    (void)errand;
    (void)worker;
    atomic_fetch_add(&blocked, 1);
    while (!atomic_load(&released))
        usleep(1000);
}

static void on_unblocked(struct errand *errand)
{
    (void)errand;
}

#define CROWD 100u /* more for each worker than it accepts in one turn */

Test(listeners, who_waits_at_a_listener_that_goes_is_let_in)
{
    const struct supbed_way both[] = {supbed_imaps, imap};
    struct errand block = {.visit = on_block, .done = on_unblocked};
    static struct peer crowd[CROWD];
    struct generation *before;

    cr_assert(reload_with(both, 2));
    before = s->generation;
    cr_assert(errand_send(&s->errands, &block));
    while (atomic_load(&blocked) < 2)
        usleep(1000);
    bed.conns.front = bed.ports[1];
    for (size_t i = 0; i < CROWD; i++)
        connbed_connect(&bed.conns, 0, &crowd[i]);
    supbed_write(&bed, &supbed_imaps, 1, NULL);
    cr_assert(reload_request(s, "test", NULL));
    while (s->generation == before) /* the new one is on its way to the workers */
        uv_run(&s->loop, UV_RUN_ONCE);
    atomic_store(&released, true);
    supbed_settle(&bed);
    cr_expect(s->reloader.report.successful);
    for (size_t i = 0; i < CROWD; i++) {
        cr_expect(peer_hears(&crowd[i], "* OK "), "client %zu", i);
        peer_die(&crowd[i]);
    }
    cr_expect(refuses(1));
}
