/*
 * Probes of real sockets on a loop of the test's own, and what becomes of what they see.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "run/prober.h"
#include "support/connbed.h"

#define SELDOM "\"interval\": \"1h\""
#define OFTEN  "\"interval\": \"20ms\", \"rise\": 1, \"fall\": 2"

static struct connbed bed;
static struct prober prober;
static struct peer backend;

static void on_turned(void *ctx)
{
    prober_hurry(ctx);
}

static void open_bed(const char *row, const char *keys)
{
    char probe[128];

    snprintf(probe, sizeof(probe), "\"probe\": {%s}", keys);
    connbed_open(&bed, probe, row);
    lore_log_to(&bed.generation->lore, bed.log.sink, bed.log.ctx);
    prober_init(&prober, &bed.loop, &bed.log, &bed.fleet);
    bed.fleet.turned = on_turned;
    bed.fleet.ctx = &prober;
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
    cr_expect(peer_hears(&backend, "w4 LOGOUT\r\n"));
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

static void be_busy(void)
{
    connbed_accept(&bed, &backend);
    peer_say(&backend, "* BYE full\r\n");
    cr_expect(peer_hears_end(&backend));
    peer_close(&backend);
}

Test(prober, a_reload_looks_again)
{
    open_bed("\"tls\": \"none\"", SELDOM ", \"fall\": 1, \"rise\": 1");
    be_busy();
    cr_expect(connbed_logged(
        &bed, "event=backend_down backend=b1 by=probe why=\"the greeting is BYE: full\""));
    prober_use(&prober, bed.generation);
    be_probed("IMAP4rev1");
    cr_expect(connbed_logged(&bed, "event=backend_up backend=b1 by=probe"));
    close_bed();
}

Test(prober, several_failures_in_a_row_take_it_down)
{
    open_bed("\"tls\": \"none\"", OFTEN);
    be_probed("IMAP4rev1");
    be_busy();
    be_probed("IMAP4rev1");
    be_busy();
    cr_expect(connbed_logged(&bed, "event=probe_failed backend=b1"));
    cr_expect_not(connbed_logged_yet(&bed, "backend_down"), "never two in a row");
    connbed_accept(&bed, &backend);
    peer_die(&backend);
    cr_expect(connbed_logged(&bed, "event=backend_down backend=b1 by=probe why=\"closed the "
                                   "connection\""));
    be_probed("IMAP4rev1");
    cr_expect(connbed_logged(&bed, "event=backend_up backend=b1 by=probe"));
    close_bed();
}

/* The regular turn would come in an hour. */
Test(prober, what_fails_is_looked_at_more_often)
{
    open_bed("\"tls\": \"none\"", SELDOM ", \"rise\": 2, \"fall\": 2");
    be_busy();
    be_busy();
    cr_expect(connbed_logged(&bed, "event=backend_down"));
    be_probed("IMAP4rev1");
    be_probed("IMAP4rev1");
    cr_expect(connbed_logged(&bed, "event=backend_up"));
    close_bed();
}

Test(prober, failed_logins_are_looked_into_at_once)
{
    open_bed("\"tls\": \"none\"", SELDOM ", \"rise\": 1, \"fall\": 3");
    be_probed("IMAP4rev1");
    cr_assert(connbed_logged(&bed, "event=capabilities"));
    for (unsigned i = 0; i < 3; i++) {
        uint64_t now = uv_hrtime() / 1000000 + 1;
        fleet_login_failed(&bed.fleet, bed.generation->fleet[0], "no greeting", false, now, now);
    }
    cr_expect(connbed_logged_yet(&bed, "event=backend_down backend=b1 by=logins"));
    be_probed("IMAP4rev1");
    cr_expect(connbed_logged(&bed, "event=backend_up backend=b1 by=probe"));
    close_bed();
}

/* 192.0.2.1 is nobody's: there is nothing to connect from. */
Test(prober, what_this_machine_lacks_is_not_held_against_the_backend)
{
    struct fleet_view view;

    open_bed("\"tls\": \"none\", \"source_addresses\": [\"192.0.2.1\"]",
             "\"interval\": \"10ms\", \"fall\": 1");
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(connbed_logged(&bed, "event=probe_failed backend=b1"));
        bed.log_len = 0;
        bed.log_text[0] = '\0';
    }
    fleet_look(&bed.fleet, bed.generation->fleet[0], 0, &view);
    cr_expect_str_eq(view.state, "up");
    cr_expect_eq(view.probed, FLEET_NEVER);
    close_bed();
}

Test(prober, a_backend_that_does_not_verify_is_down)
{
    open_bed("\"tls\": \"starttls\", \"verify\": {\"name\": \"b1.test\"}", SELDOM ", \"fall\": 1");
    connbed_accept(&bed, &backend);
    peer_say(&backend, "* OK hi\r\n");
    cr_assert(peer_hears(&backend, "w1 STARTTLS\r\n"));
    peer_say(&backend, "w1 OK go\r\n");
    peer_say(&backend, "HTTP/1.0 400 Bad Request\r\n\r\n");
    cr_expect(connbed_logged(&bed, "event=backend_down backend=b1 by=probe why="));
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

static void stay_silent(const char *row, const char *keys)
{
    open_bed(row, keys);
    for (unsigned i = 0; i < 1000; i++)
        connbed_turn(&bed);
    cr_expect_lt(accept(bed.listener, NULL, NULL), 0);
    close_bed();
}

Test(prober, turned_off)
{
    stay_silent("\"tls\": \"none\"", "\"interval\": \"0s\"");
}

Test(prober, turned_off_for_one_backend)
{
    stay_silent("\"tls\": \"none\", \"probe\": {\"interval\": \"0s\"}", SELDOM);
}
