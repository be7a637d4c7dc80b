/*
 * The counters as log lines.
 */
#include "run/report.h"

#include <criterion/criterion.h>

static struct metrics metrics;
static struct ledger ledger;
static char lines[8192];
static struct str said;

static void keep_line(void *ctx, enum log_level level, struct slice line)
{
    UNUSED(ctx);
    cr_expect_eq(level, LEVEL_INFO);
    str_addf(&said, "%.*s\n", SLICE_ARG(line));
}

static void ask(enum log_level level)
{
    struct log log = {level, FORMAT_TEXT, keep_line, NULL};

    said = STR_ON(lines);
    report(&log, &metrics, &ledger);
    cr_assert_not(said.overflow);
}

/* The counters of "east", the only backend. */
static struct backend_metrics *east(void)
{
    struct conf_backend backend = {.name = (char[]){"east"}};
    struct conf_routes routes = {.backends = &backend, .backend_count = 1};
    struct conf conf = {.routes = &routes};
    struct backend_metrics **counters = ledger_open(&ledger, &conf), *first;

    cr_assert_not_null(counters);
    first = counters[0];
    free(counters);
    return first;
}

Test(report, nothing_happened)
{
    (void)east();
    ask(LEVEL_DEBUG);
    cr_expect_str_eq(lines, "");
    ledger_fini(&ledger);
}

Test(report, of_the_process)
{
    metric_add(&metrics.sessions_accepted, 12);
    metric_add(&metrics.sessions_open, 3);
    metric_add(&metrics.sessions_relaying, 2);
    metric_add(&metrics.logins_succeeded, 7);
    metric_add(&metrics.logins_refused[REFUSAL_authentication], 4);
    metric_add(&metrics.sessions_ended[REASON_logout], 8);
    metric_add(&metrics.sessions_ended[REASON_no_memory], 1);
    metric_add(&metrics.bytes_to_client, 5000000000);
    metric_add(&metrics.bytes_to_backend, 77);
    metric_add(&metrics.reloads_failed, 1);
    metric_set(&metrics.last_reload_at, 1234567890);
    ask(LEVEL_INFO);
    cr_expect_str_eq(lines, "event=metrics name=sessions_accepted value=12\n"
                            "event=metrics name=sessions_open value=3\n"
                            "event=metrics name=sessions_relaying value=2\n"
                            "event=metrics name=logins_succeeded value=7\n"
                            "event=metrics name=logins_refused why=authentication value=4\n"
                            "event=metrics name=sessions_ended reason=logout value=8\n"
                            "event=metrics name=sessions_ended reason=no_memory value=1\n"
                            "event=metrics name=bytes_to_client value=5000000000\n"
                            "event=metrics name=bytes_to_backend value=77\n"
                            "event=metrics name=reloads_failed value=1\n"
                            "event=metrics name=last_reload_successful value=0\n"
                            "event=metrics name=last_reload_at value=1234567890\n");
}

Test(report, of_a_backend)
{
    struct backend_metrics *b = east();

    metric_add(&b->logins_succeeded, 5);
    metric_add(&b->logins_refused, 6);
    metric_add(&b->attempts_failed, 7);
    metric_add(&b->bytes_to_client, 8);
    metric_add(&b->bytes_to_backend, 9);
    metric_add(&b->commands[VERB_UID_FETCH].ok, 99);
    metric_add(&b->commands[VERB_UID_FETCH].no, 1);
    for (unsigned i = 0; i < 100; i++)
        latency_add(&b->commands[VERB_UID_FETCH], i < 98 ? 3 : 700);
    metric_add(&b->commands[VERB_IDLE].bad, 2);
    metric_add(&ledger.rest.commands[VERB_OTHER].no, 1);
    ask(LEVEL_INFO);
    cr_expect_str_eq(lines, "event=metrics name=logins_succeeded backend=east value=5\n"
                            "event=metrics name=logins_refused backend=east value=6\n"
                            "event=metrics name=attempts_failed backend=east value=7\n"
                            "event=metrics name=bytes_to_client backend=east value=8\n"
                            "event=metrics name=bytes_to_backend backend=east value=9\n"
                            "event=command backend=east command=IDLE ok=0 no=0 bad=2\n"
                            "event=command backend=east command=\"UID FETCH\" ok=99 no=1 bad=0"
                            " p50_ms=5 p99_ms=1000\n"
                            "event=command backend=(others) command=other ok=0 no=1 bad=0\n");
    ledger_fini(&ledger);
}

Test(report, who_asks_is_answered_at_any_level)
{
    metric_add(&metrics.sessions_open, 1);
    ask(LEVEL_ERROR);
    cr_expect_str_eq(lines, "event=metrics name=sessions_open value=1\n");
}
