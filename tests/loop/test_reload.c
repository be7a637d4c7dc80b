/*
 * Reload on a supervisor without workers: who is told what, and when there is a second load.
 */
#include "run/reload.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "run/supervisor_state.h"
#include "support/connbed.h"

static struct connbed bed; /* for its files */
static struct supervisor s;

struct asker {
    struct reload_waiter waiter;
    unsigned told;
    bool left, successful; /* what it was told last */
    uint64_t tries;
    size_t errors;
    struct asker *then; /* asks when this one is told */
};

static struct asker askers[3];

static void on_done(struct reload_waiter *waiter, const struct reload_report *report)
{
    struct asker *asker = container_of(waiter, struct asker, waiter);

    asker->told++;
    asker->left = report == NULL;
    if (report == NULL)
        return;
    asker->successful = report->successful;
    asker->tries = report->tries;
    asker->errors = report->errors.count;
    if (asker->then != NULL)
        cr_assert(reload_request(&s, "test", &asker->then->waiter));
}

static void setup(void)
{
    connbed_open(&bed, "\"log\": {\"to\": \"proxy.log\"}, \"probe\": {\"interval\": \"0s\"}",
                 "\"tls\": \"none\"");
    s = (struct supervisor){.conf_path = testca_path(&bed.ca, "waypost.json")};
    s.tickets = bed.tickets;
    s.generation = generation_hold(bed.generation);
    s.log = (struct log){LEVEL_INFO, FORMAT_TEXT, logger_sink, &s.logger};
    cr_assert_eq(logger_open(&s.logger, s.generation->conf->log.to), 0);
    cr_assert_eq(uv_loop_init(&s.loop), 0);
    cr_assert(fleet_init(&s.fleet, NULL, NULL, NULL, NULL));
    prober_init(&s.prober, &s.loop, &s.log, &s.fleet);
    reload_init(&s);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        askers[i] = (struct asker){.waiter.done = on_done};
        list_init(&askers[i].waiter.node);
    }
}

/* Until nothing is under way. */
static void settle(void)
{
    do
        uv_run(&s.loop, UV_RUN_ONCE);
    while (s.reloader.loading);
}

static void teardown(void)
{
    prober_close(&s.prober);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    prober_fini(&s.prober);
    reload_fini(&s);
    cr_expect_eq(uv_loop_close(&s.loop), 0);
    generation_release(&s.generation);
    fleet_fini(&s.fleet);
    ledger_fini(&s.ledger);
    logger_close(&s.logger);
    unlink(testca_path(&bed.ca, "proxy.log"));
    connbed_close(&bed);
}

TestSuite(reload, .init = setup, .fini = teardown);

static void ask(size_t i)
{
    cr_assert(reload_request(&s, "test", &askers[i].waiter));
    cr_expect_eq(askers[i].told, 0, "told beneath the question");
}

static void break_files(void)
{
    static const char text[] = "{\"listeners\": 7, \"worker\": 1}";

    testca_write(&bed.ca, "waypost.json", text, strlen(text));
}

Test(reload, the_outcome_is_told_once)
{
    struct generation *before = s.generation;

    ask(0);
    settle();
    cr_expect_eq(askers[0].told, 1);
    cr_expect(askers[0].successful);
    cr_expect_eq(askers[0].tries, 1);
    cr_expect_eq(askers[0].errors, 0);
    cr_expect_neq(s.generation, before);
    cr_expect_eq(metric_get(&s.metrics.last_reload_successful), 1);
    cr_expect_gt(metric_get(&s.metrics.last_reload_at), 0);
}

Test(reload, who_asks_during_a_load_gets_the_next_one)
{
    ask(0);
    ask(1);
    ask(2);
    settle();
    cr_expect_eq(askers[0].tries, 1);
    cr_expect_eq(askers[1].tries, 2);
    cr_expect_eq(askers[2].tries, 2, "both wait for the same");
    cr_expect_eq(s.reloader.report.tries, 2);
}

Test(reload, who_asks_when_told_gets_the_next_one)
{
    askers[0].then = &askers[1];
    ask(0);
    settle();
    cr_expect_eq(askers[0].told, 1);
    cr_expect_eq(askers[0].tries, 1);
    cr_expect_eq(askers[1].told, 1);
    cr_expect_eq(askers[1].tries, 2);
}

Test(reload, who_has_left_is_not_told)
{
    ask(0);
    ask(1);
    reload_forget(&askers[0].waiter);
    reload_forget(&askers[1].waiter);
    reload_forget(&askers[1].waiter);
    settle();
    cr_expect_eq(askers[0].told + askers[1].told, 0);
    cr_expect_eq(s.reloader.report.tries, 2);
}

Test(reload, all_findings_are_in_the_report_until_the_next)
{
    struct generation *before = s.generation;
    const struct reload_report *report = &s.reloader.report;

    break_files();
    ask(0);
    settle();
    cr_expect_not(askers[0].successful);
    cr_assert_geq(report->errors.count, 3);
    cr_expect_str_eq(report->errors.list[0].file, s.conf_path);
    cr_expect_eq(report->errors.list[0].line, 1);
    cr_expect_eq(s.generation, before);
    cr_expect_eq(metric_get(&s.metrics.reloads_failed), 1);
    cr_expect_eq(metric_get(&s.metrics.last_reload_successful), 0);
    connbed_redirect(&bed);
    ask(1);
    settle();
    cr_expect(askers[1].successful);
    cr_expect_eq(report->errors.count, 0);
    cr_expect_eq(metric_get(&s.metrics.last_reload_successful), 1);
    cr_expect_eq(metric_get(&s.metrics.reloads_failed), 1);
}

Test(reload, leaving_throws_away_what_is_loaded)
{
    struct generation *before = s.generation;

    ask(0);
    ask(1);
    s.draining = true;
    reload_stop(&s);
    cr_expect_eq(askers[0].told, 1);
    cr_expect_eq(askers[1].told, 1);
    cr_expect(askers[0].left && askers[1].left);
    settle();
    cr_expect_eq(s.generation, before);
    cr_expect_eq(s.reloader.report.tries, 0);
    cr_expect_not(reload_request(&s, "test", &askers[2].waiter));
}
