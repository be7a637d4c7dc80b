/*
 * Reload of a running supervisor with two workers: who is told what, and when there is a second
 * load.
 */
#include "run/reload.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "support/supbed.h"

static struct supbed bed;
static struct supervisor *const s = &bed.s;

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
        cr_assert(reload_request(s, "test", &asker->then->waiter));
}

static void setup(void)
{
    supbed_open(&bed);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        askers[i] = (struct asker){.waiter.done = on_done};
        list_init(&askers[i].waiter.node);
    }
}

static void teardown(void)
{
    supbed_close(&bed);
}

TestSuite(reload, .init = setup, .fini = teardown);

static void ask(size_t i)
{
    cr_assert(reload_request(s, "test", &askers[i].waiter));
    cr_expect_eq(askers[i].told, 0, "told beneath the question");
}

static void break_files(void)
{
    static const char text[] = "{\"listeners\": 7, \"worker\": 1}";

    testca_write(&bed.conns.ca, "waypost.json", text, strlen(text));
}

Test(reload, the_outcome_is_told_once)
{
    struct generation *before = s->generation;

    ask(0);
    supbed_settle(&bed);
    cr_expect_eq(askers[0].told, 1);
    cr_expect(askers[0].successful);
    cr_expect_eq(askers[0].tries, 1);
    cr_expect_eq(askers[0].errors, 0);
    cr_expect_neq(s->generation, before);
    cr_expect_eq(metric_get(&s->metrics.last_reload_successful), 1);
    cr_expect_gt(metric_get(&s->metrics.last_reload_at), 0);
}

Test(reload, who_asks_during_a_load_gets_the_next_one)
{
    ask(0);
    ask(1);
    ask(2);
    supbed_settle(&bed);
    cr_expect_eq(askers[0].tries, 1);
    cr_expect_eq(askers[1].tries, 2);
    cr_expect_eq(askers[2].tries, 2, "both wait for the same");
    cr_expect_eq(s->reloader.report.tries, 2);
}

Test(reload, who_asks_when_told_gets_the_next_one)
{
    askers[0].then = &askers[1];
    ask(0);
    supbed_settle(&bed);
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
    supbed_settle(&bed);
    cr_expect_eq(askers[0].told + askers[1].told, 0);
    cr_expect_eq(s->reloader.report.tries, 2);
}

Test(reload, all_findings_are_in_the_report_until_the_next)
{
    struct generation *before = s->generation;
    const struct reload_report *report = &s->reloader.report;

    break_files();
    ask(0);
    supbed_settle(&bed);
    cr_expect_not(askers[0].successful);
    cr_assert_geq(report->errors.count, 3);
    cr_expect_str_eq(report->errors.list[0].file, s->conf_path);
    cr_expect_eq(report->errors.list[0].line, 1);
    cr_expect_eq(s->generation, before);
    cr_expect_eq(metric_get(&s->metrics.reloads_failed), 1);
    cr_expect_eq(metric_get(&s->metrics.last_reload_successful), 0);
    supbed_write(&bed, &supbed_imaps, 1, NULL);
    ask(1);
    supbed_settle(&bed);
    cr_expect(askers[1].successful);
    cr_expect_eq(report->errors.count, 0);
    cr_expect_eq(metric_get(&s->metrics.last_reload_successful), 1);
    cr_expect_eq(metric_get(&s->metrics.reloads_failed), 1);
}

/* The first to hear of it is the pool's thread, which cannot be called back. Where it got to is a
 * matter of time; what it loaded is somebody's, or the sanitizer finds it. */
Test(reload, leaving_throws_away_what_is_loaded)
{
    ask(0);
    ask(1);
    raise(SIGTERM);
    while (!s->draining)
        uv_run(&s->loop, UV_RUN_ONCE);
    cr_expect_eq(askers[0].told + askers[1].told, 2);
    cr_expect(askers[0].left || askers[0].tries == 1);
    cr_expect(askers[1].left);
    cr_expect_not(reload_request(s, "test", &askers[2].waiter));
    uv_run(&s->loop, UV_RUN_DEFAULT);
    cr_expect_eq(askers[2].told, 0);
}

Test(reload, what_needs_a_restart_is_said_each_time)
{
    const char *extra = "\"workers\": 3, \"user\": \"nobody\", \"group\": \"nogroup\"";

    for (unsigned i = 1; i <= 2; i++) {
        supbed_write(&bed, &supbed_imaps, 1, extra);
        cr_assert(supbed_reload(&bed));
        cr_expect_eq(supbed_logged(&bed, "event=needs_restart key=workers"), i);
        cr_expect_eq(supbed_logged(&bed, "event=needs_restart key=user"), i);
        cr_expect_eq(supbed_logged(&bed, "event=needs_restart key=group"), i);
    }
    supbed_write(&bed, &supbed_imaps, 1, NULL);
    cr_assert(supbed_reload(&bed));
    cr_expect_eq(supbed_logged(&bed, "event=needs_restart"), 6, "all is as it was at the start");
}
