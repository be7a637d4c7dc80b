/*
 * Backends as threads, reloads and operators meet them.
 */
#include "run/fleet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/conf_text.h"

#define TWO                                                        \
    "\"a\": {%s\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}, " \
    "\"b\": {\"address\": \"127.0.0.1:2\", \"tls\": \"none\"}"

static struct fleet fleet;
static struct conf *conf;
static struct fleet_backend **found;
static char lines[8192];
static struct str said;
static uv_mutex_t said_lock;
static unsigned turned;

static void keep_line(void *ctx, enum log_level level, struct slice line)
{
    UNUSED(ctx);
    uv_mutex_lock(&said_lock);
    str_addf(&said, "%s %.*s\n", log_level_name[level], SLICE_ARG(line));
    uv_mutex_unlock(&said_lock);
}

static void on_turned(void *ctx)
{
    UNUSED(ctx);
    uv_mutex_lock(&said_lock);
    turned++;
    uv_mutex_unlock(&said_lock);
    if (found != NULL)
        (void)fleet_unsettled(&fleet, found[0]); /* its lock is free */
}

static void begin(void)
{
    said = STR_ON(lines);
    cr_assert_eq(uv_mutex_init(&said_lock), 0);
    cr_assert(fleet_init(&fleet, keep_line, NULL, on_turned, NULL));
}

static void end(void)
{
    free(found);
    fleet_fini(&fleet);
    if (conf != NULL)
        conf_release(&conf);
    uv_mutex_destroy(&said_lock);
}

TestSuite(fleet, .init = begin, .fini = end, .timeout = 60);

/* A configuration with these backends is in force. */
static void use(const char *backends, const char *probe)
{
    struct conf_errors errors = {0};
    char waypost[512], routes[2048];

    snprintf(waypost, sizeof(waypost),
             "{\"listeners\": [{\"name\": \"imaps\", \"address\": \"[::]:993\", \"tls\": "
             "\"implicit\"}], \"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}]}, "
             "\"probe\": {%s}}",
             probe);
    snprintf(routes, sizeof(routes), "{\"backends\": {%s}, \"routes\": [{\"deny\": true}]}",
             backends);
    free(found);
    if (conf != NULL)
        conf_release(&conf);
    cr_assert(conf_text_load(waypost, routes, NULL, &conf, &errors));
    found = fleet_open(&fleet, conf);
    cr_assert_not_null(found);
}

static void use_two(const char *row)
{
    char backends[512];

    snprintf(backends, sizeof(backends), TWO, row);
    use(backends, "");
}

static bool admits(size_t i, uint64_t now)
{
    return fleet_admits(&fleet, found[i], &conf->routes->backends[i], now);
}

static bool serves(size_t i, uint64_t now)
{
    return fleet_serves(&fleet, found[i], now);
}

static uint64_t soon(void)
{
    return uv_hrtime() / 1000000 + 1;
}

static void fail(size_t i, unsigned times)
{
    while (times-- > 0)
        fleet_login_failed(&fleet, found[i], "connection refused", false, soon(), soon());
}

Test(fleet, is_found_by_name_and_seen_in_order)
{
    use("\"m\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}, "
        "\"c\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}, "
        "\"x\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}",
        "");
    for (size_t i = 0; i < 3; i++) {
        cr_expect_str_eq(fleet_name(found[i]), conf->routes->backends[i].name);
        cr_expect_eq(fleet_find(&fleet, conf->routes->backends[i].name), found[i]);
    }
    cr_expect_null(fleet_find(&fleet, "nobody"));
    cr_expect_str_eq(fleet_name(fleet.sorted[0]), "c");
    cr_expect_str_eq(fleet_name(fleet.sorted[2]), "x");
}

Test(fleet, an_empty_one_has_nobody)
{
    cr_expect_null(fleet_find(&fleet, "a"));
}

Test(fleet, failed_logins_turn_further_ones_away)
{
    struct fleet_view view;

    use_two("");
    cr_expect(admits(0, soon()));
    fail(0, 10);
    cr_expect_not(admits(0, soon()));
    cr_expect_not(serves(0, soon()));
    cr_expect(admits(1, soon()), "the other one is not meant");
    cr_expect_eq(turned, 1);
    cr_expect_not(fleet_is_dead(found[0]), "a refusal is an answer");
    fleet_look(&fleet, found[0], soon(), &view);
    cr_expect_str_eq(view.state, "down");
    cr_expect_str_eq(view.by, "logins");
    cr_expect_str_eq(view.why, "connection refused");
    cr_expect_eq(view.probed, FLEET_NEVER);
    fleet_probed(&fleet, found[0], true, NULL, false, soon());
    fleet_probed(&fleet, found[0], true, NULL, false, soon());
    cr_expect(admits(0, soon()));
    cr_expect_not_null(strstr(
        lines, "warn event=backend_down backend=a by=logins why=\"connection refused\"\ninfo "
               "event=backend_up backend=a by=probe down_ms="));
    cr_expect_null(strstr(strstr(lines, "backend_down") + 1, "backend_down"), "%s", lines);
    fleet_look(&fleet, found[0], soon(), &view);
    cr_expect_str_eq(view.state, "up");
    cr_expect_str_eq(view.by, "");
    cr_expect_lt(view.probed, FLEET_NEVER);
}

/* Whoever watches over sessions is told of each change. */
Test(fleet, down_and_silent_is_dead)
{
    use_two("");
    for (unsigned i = 0; i < 2; i++)
        fleet_probed(&fleet, found[0], false, "no greeting in time", true, soon());
    cr_expect_not(fleet_is_dead(found[0]), "not down yet");
    fleet_probed(&fleet, found[0], false, "no greeting in time", true, soon());
    cr_expect(fleet_is_dead(found[0]));
    cr_expect_not(fleet_is_dead(found[1]));
    cr_expect_eq(turned, 1);
    fleet_probed(&fleet, found[0], false, "the greeting is BYE", false, soon());
    cr_expect_not(fleet_is_dead(found[0]), "it speaks, if not to us");
    cr_expect_eq(turned, 2);
    fleet_probed(&fleet, found[0], false, "no greeting in time", true, soon());
    cr_expect(fleet_is_dead(found[0]));
    fleet_probed(&fleet, found[0], true, NULL, false, soon());
    cr_expect_not(fleet_is_dead(found[0]), "still down");
    cr_expect_eq(turned, 4);
    fail(1, 2);
    fleet_login_failed(&fleet, found[1], "no answer in time", true, soon(), soon());
    cr_expect(fleet_is_dead(found[1]));
    fleet_login_reached(&fleet, found[1], soon());
    cr_expect_not(fleet_is_dead(found[1]));
}

Test(fleet, the_operator_is_overruled_by_nobody)
{
    struct fleet_view view;

    use_two("");
    fleet_set_down(&fleet, found[0], true);
    fleet_set_down(&fleet, found[0], true);
    for (unsigned i = 0; i < 10; i++)
        fleet_probed(&fleet, found[0], true, NULL, false, soon());
    cr_expect_not(admits(0, soon()));
    use_two("");
    cr_expect_not(admits(0, soon()), "nor by a reload");
    cr_expect_eq(turned, 0, "it lives all the same");
    fleet_look(&fleet, found[0], soon(), &view);
    cr_expect_str_eq(view.state, "down");
    cr_expect_str_eq(view.by, "operator");
    cr_expect(view.set_down);
    fail(0, 3);
    fleet_set_down(&fleet, found[0], false);
    cr_expect_not(admits(0, soon()), "logins failed meanwhile");
    cr_expect_str_eq(lines,
                     "warn event=backend_down backend=a by=operator\n"
                     "warn event=backend_down backend=a by=logins why=\"connection refused\"\n"
                     "info event=backend_up backend=a by=operator\n");
}

Test(fleet, draining_keeps_those_who_are_there)
{
    struct fleet_view view;

    use_two("");
    fleet_set_draining(&fleet, found[0], true);
    cr_expect_not(admits(0, soon()));
    cr_expect(serves(0, soon()));
    cr_expect_eq(turned, 0);
    fleet_look(&fleet, found[0], soon(), &view);
    cr_expect_str_eq(view.state, "draining");
    fleet_set_draining(&fleet, found[0], false);
    cr_expect(admits(0, soon()));
    cr_expect_str_eq(lines, "warn event=backend_draining backend=a by=operator\n"
                            "info event=backend_undrained backend=a by=operator\n");
}

Test(fleet, no_more_sessions_than_allowed)
{
    struct fleet_view view;

    use_two("\"max_sessions\": 2, ");
    for (unsigned i = 0; i < 2; i++) {
        cr_expect(admits(0, soon()));
        fleet_enter(found[0]);
    }
    cr_expect_not(admits(0, soon()));
    cr_expect(serves(0, soon()), "users who are there stay together");
    cr_expect(admits(1, soon()));
    fleet_look(&fleet, found[0], soon(), &view);
    cr_expect_eq(view.sessions, 2);
    cr_expect_eq(view.max_sessions, 2);
    fleet_leave(found[0]);
    cr_expect(admits(0, soon()));
    fleet_leave(found[0]);
    cr_expect_eq(fleet_sessions(found[0]), 0);
}

Test(fleet, a_full_backend_consumes_no_trial)
{
    use("\"a\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\", \"max_sessions\": 1, "
        "\"probe\": {\"interval\": \"0s\"}}",
        "");
    fleet_enter(found[0]);
    fail(0, 3);
    cr_expect_not(admits(0, soon() + HEALTH_COOLDOWN));
    fleet_leave(found[0]);
    cr_expect(admits(0, soon() + HEALTH_COOLDOWN), "half open");
    cr_expect_not(admits(0, soon() + HEALTH_COOLDOWN));
    fleet_login_reached(&fleet, found[0], soon() + HEALTH_COOLDOWN);
    cr_expect(admits(0, soon()));
}

Test(fleet, draining_consumes_no_trial)
{
    use("\"a\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}", "\"interval\": \"0s\"");
    fail(0, 3);
    fleet_set_draining(&fleet, found[0], true);
    cr_expect_not(admits(0, soon() + HEALTH_COOLDOWN));
    cr_expect(serves(0, soon() + HEALTH_COOLDOWN));
}

Test(fleet, survives_reloads_by_name)
{
    struct fleet_backend *a, *b;
    struct fleet_view view;

    use_two("");
    a = found[0];
    b = found[1];
    fleet_enter(a);
    fail(0, 3);
    fail(1, 3);
    fleet_set_draining(&fleet, b, true);
    use("\"n\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}, "
        "\"b\": {\"address\": \"127.0.0.1:9\", \"tls\": \"none\"}, "
        "\"a\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}",
        "");
    cr_expect_eq(found[2], a);
    cr_expect(admits(0, soon()));
    cr_expect_not(admits(2, soon()), "what is known of a");
    cr_expect_neq(found[1], b, "another server has the name now");
    cr_expect_eq(fleet_find(&fleet, "b"), found[1]);
    cr_expect_not(admits(1, soon()));
    cr_expect(serves(1, soon()), "it is well, but still draining");
    cr_expect_not(fleet_serves(&fleet, b, soon()), "what was there is still known");
    cr_expect_eq(fleet_sessions(a), 1);
    use("\"n\": {\"address\": \"127.0.0.1:1\", \"tls\": \"none\"}", "");
    fleet_look(&fleet, a, soon(), &view);
    cr_expect_not(view.configured);
    fleet_look(&fleet, found[0], soon(), &view);
    cr_expect(view.configured);
    fleet_leave(a);
}

Test(fleet, the_level_of_the_log_follows_the_configuration)
{
    use_two("");
    conf->log.level = LEVEL_ERROR;
    free(found);
    found = fleet_open(&fleet, conf);
    fail(0, 3);
    cr_expect_str_eq(lines, "");
    cr_expect_eq(turned, 1);
}

/* --- threads ---------------------------------------------------------------------------------- */

#define THREADS 4u
#define VISITS  20000u

static atomic_uint served;

static void visit(void *arg)
{
    unsigned number = *(unsigned *)arg;
    struct fleet_view view;

    for (unsigned i = 0; i < VISITS; i++) {
        size_t which = (i + number) % 2;
        uint64_t now = soon();
        if (!admits(which, now))
            continue;
        fleet_enter(found[which]);
        atomic_fetch_add(&served, 1);
        if (i % 5 == 0)
            fleet_login_failed(&fleet, found[which], "eof", i % 2 == 0, now, now);
        else
            fleet_login_reached(&fleet, found[which], now);
        if (i % 100 == number)
            fleet_look(&fleet, found[which], now, &view);
        fleet_leave(found[which]);
    }
}

static void look(void *ctx, struct fleet_backend *b)
{
    struct fleet_view view;

    fleet_look(&fleet, b, soon(), &view);
    *(unsigned *)ctx += view.sessions <= THREADS;
}

Test(fleet, threads_and_reloads_share_it)
{
    unsigned numbers[THREADS], sane = 0;
    uv_thread_t threads[THREADS];

    use_two("");
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        cr_assert_eq(uv_thread_create(&threads[i], visit, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < 200; i++) {
        free(fleet_open(&fleet, conf));
        fleet_set_draining(&fleet, fleet_find(&fleet, "a"), i % 2 == 0);
        fleet_set_down(&fleet, fleet_find(&fleet, "b"), i % 2 == 1);
        fleet_probed(&fleet, found[0], true, NULL, false, soon());
        fleet_each(&fleet, look, &sane);
    }
    fleet_set_draining(&fleet, found[0], false);
    fleet_set_down(&fleet, found[1], false);
    for (unsigned i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    cr_expect_eq(sane, 400);
    cr_expect_gt(atomic_load(&served), 0);
    cr_expect_eq(fleet_sessions(found[0]), 0);
    cr_expect_eq(fleet_sessions(found[1]), 0);
}
