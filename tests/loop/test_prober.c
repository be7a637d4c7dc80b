/*
 * Probes of real sockets on a loop of the test's own, and what becomes of what they see.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "run/prober.h"
#include "support/connbed.h"

#define SELDOM "1h"

static struct connbed bed;
static struct prober prober;
static struct peer backend;

static void open_bed(const char *row, const char *interval)
{
    char probe[64];

    snprintf(probe, sizeof(probe), "\"probe\": {\"interval\": \"%s\"}", interval);
    connbed_open(&bed, probe, row);
    lore_log_to(&bed.generation->lore, bed.log.sink, bed.log.ctx);
    prober_init(&prober, &bed.loop, &bed.log);
    prober_use(&prober, bed.generation);
}

static void close_bed(void)
{
    prober_close(&prober);
    uv_run(&bed.loop, UV_RUN_DEFAULT);
    prober_fini(&prober);
    connbed_close(&bed);
}

TestSuite(prober, .timeout = 60);

static void be_probed(const char *words)
{
    char line[512];

    connbed_accept(&bed, &backend);
    peer_say(&backend, "* OK hi\r\n");
    cr_assert(peer_hears(&backend, "w2 CAPABILITY\r\n"));
    snprintf(line, sizeof(line), "* CAPABILITY %s\r\nw2 OK done\r\n", words);
    peer_say(&backend, line);
    cr_expect(peer_hears(&backend, "w3 LOGOUT\r\n"));
    cr_expect(peer_hears_end(&backend));
    peer_close(&backend);
}

static bool known(struct caps *caps)
{
    struct session_lore *lore = &bed.generation->lore.view;

    return lore->recall(lore->ctx, &bed.generation->conf->routes->backends[0], caps);
}

Test(prober, what_is_seen_is_known_to_sessions)
{
    struct caps caps = CAPS_UNKNOWN;

    open_bed("\"tls\": \"none\"", SELDOM);
    cr_expect_not(known(&caps));
    be_probed("IMAP4rev1 IDLE");
    cr_assert(connbed_logged(&bed, "event=capabilities backend=b1 when=before-login "
                                   "words=\"IMAP4rev1 IDLE\""));
    cr_assert(known(&caps));
    cr_expect(slice_eq(caps_words(&caps), SLICE("IMAP4rev1 IDLE")));
    caps_clear(&caps);
    close_bed();
}

Test(prober, a_reload_begins_a_round)
{
    open_bed("\"tls\": \"none\"", SELDOM);
    connbed_accept(&bed, &backend);
    peer_say(&backend, "* BYE full\r\n");
    cr_expect(
        connbed_logged(&bed, "event=backend_down backend=b1 why=\"the greeting is BYE: full\""));
    peer_close(&backend);
    bed.log_len = 0;
    prober_use(&prober, bed.generation);
    be_probed("IMAP4rev1");
    cr_expect(connbed_logged(&bed, "event=capabilities"));
    cr_expect_not(connbed_logged_yet(&bed, "backend_up"), "a new configuration begins anew");
    close_bed();
}

Test(prober, rounds_follow_each_other)
{
    open_bed("\"tls\": \"none\"", "20ms");
    be_probed("IMAP4rev1");
    connbed_accept(&bed, &backend);
    peer_die(&backend);
    cr_expect(connbed_logged(&bed, "event=backend_down backend=b1 why=\"closed the connection\""));
    be_probed("IMAP4rev1");
    cr_expect(connbed_logged(&bed, "event=backend_up backend=b1"));
    close_bed();
}

Test(prober, a_backend_that_does_not_verify_is_down)
{
    open_bed("\"tls\": \"starttls\", \"verify\": {\"name\": \"b1.test\"}", SELDOM);
    connbed_accept(&bed, &backend);
    peer_say(&backend, "* OK hi\r\n");
    cr_assert(peer_hears(&backend, "w1 STARTTLS\r\n"));
    peer_say(&backend, "w1 OK go\r\n");
    peer_say(&backend, "HTTP/1.0 400 Bad Request\r\n\r\n");
    cr_expect(connbed_logged(&bed, "event=backend_down backend=b1 why="));
    peer_close(&backend);
    close_bed();
}

Test(prober, ends_in_the_middle_of_a_probe)
{
    open_bed("\"tls\": \"none\"", SELDOM);
    connbed_accept(&bed, &backend);
    peer_say(&backend, "* OK hi\r\n");
    cr_assert(peer_hears(&backend, "w2 CAPABILITY\r\n"));
    close_bed();
    cr_expect(peer_swallow(&backend) == 0);
    peer_close(&backend);
}

Test(prober, ends_before_anything_has_happened)
{
    open_bed("\"tls\": \"none\"", SELDOM);
    close_bed();
}

Test(prober, turned_off)
{
    open_bed("\"tls\": \"none\"", "0s");
    for (unsigned i = 0; i < 1000; i++)
        connbed_turn(&bed);
    cr_expect_lt(accept(bed.listener, NULL, NULL), 0);
    close_bed();
}
