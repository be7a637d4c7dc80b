/*
 * Where backends are counted: pages that outlive configurations, and sessions that write there.
 */
#include "run/ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/connbed.h"

#define THINKING_MS 20u

static struct ledger ledger;
static struct connbed bed;
static struct peer client, backend;
static size_t asked, answered; /* bytes in exchanges */

/* What a configuration with these backends is given; the caller's to free. */
static struct backend_metrics **counters_of(const char *const names[], size_t count)
{
    struct conf_backend backends[8] = {{.name = NULL}};
    struct conf_routes routes = {.backends = backends, .backend_count = count};
    struct conf conf = {.routes = &routes};
    struct backend_metrics **counters;

    cr_assert_leq(count, COUNT_OF(backends));
    for (size_t i = 0; i < count; i++) {
        backends[i].name = strdup(names[i]);
        backends[i].index = i;
    }
    counters = ledger_open(&ledger, &conf);
    for (size_t i = 0; i < count; i++)
        free(backends[i].name);
    cr_assert_not_null(counters);
    return counters;
}

Test(ledger, a_name_keeps_its_page)
{
    static const char *const before[] = {"east", "west"}, *const after[] = {"north", "west", "eas"},
                             *const again[] = {"east"};
    struct backend_metrics **first = counters_of(before, COUNT_OF(before));
    struct backend_metrics **second = counters_of(after, COUNT_OF(after));
    struct backend_metrics **third = counters_of(again, COUNT_OF(again));

    cr_expect_neq(first[0], first[1]);
    cr_expect_eq(second[1], first[1]);
    cr_expect_eq(third[0], first[0], "forgotten while it was not configured");
    cr_expect_eq(ledger.count, 4);
    for (size_t i = 0; i < ledger.count; i++)
        cr_expect_neq(&ledger.entries[i]->metrics, &ledger.rest);
    free(first);
    free(second);
    free(third);
    ledger_fini(&ledger);
}

Test(ledger, no_backends)
{
    free(counters_of(NULL, 0));
    cr_expect_eq(ledger.count, 0);
    ledger_fini(&ledger);
}

Test(ledger, is_bounded)
{
    static char names[LIMIT_COUNTED + 2][8];
    static struct conf_backend backends[LIMIT_COUNTED + 2];
    struct conf_routes routes = {.backends = backends, .backend_count = LIMIT_COUNTED + 2};
    struct conf conf = {.routes = &routes};
    struct backend_metrics **counters;

    for (size_t i = 0; i < COUNT_OF(backends); i++) {
        snprintf(names[i], sizeof(names[i]), "b%zu", i);
        backends[i].name = names[i];
    }
    counters = ledger_open(&ledger, &conf);
    cr_assert_not_null(counters);
    cr_expect_eq(ledger.count, LIMIT_COUNTED);
    cr_expect_neq(counters[LIMIT_COUNTED - 1], &ledger.rest);
    cr_expect_eq(counters[LIMIT_COUNTED], &ledger.rest);
    cr_expect_eq(counters[LIMIT_COUNTED + 1], &ledger.rest);
    free(counters);
    ledger_fini(&ledger);
}

/* --- sessions --------------------------------------------------------------------------------- */

static const struct backend_metrics *start(void)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    generation_count(bed.generation, &ledger);
    return bed.generation->counters[0];
}

static void finish(void)
{
    peer_die(&client);
    connbed_close(&bed);
    ledger_fini(&ledger);
}

/* The backend takes its time. */
static void exchange(const char *command, const char *reply)
{
    asked += strlen(command);
    answered += strlen(reply);
    peer_say(&client, command);
    cr_assert(peer_hears(&backend, command));
    usleep(1000 * THINKING_MS);
    peer_say(&backend, reply);
    cr_assert(peer_hears(&client, reply));
}

static uint64_t timed(const struct command_metrics *command)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < LATENCY_BUCKETS; i++)
        sum += metric_get(&command->latency[i]);
    return sum;
}

Test(ledger, sessions_count_commands_and_bytes)
{
    const struct backend_metrics *b = start();
    const struct command_metrics *fetch = &b->commands[VERB_FETCH];
    const struct command_metrics *idle = &b->commands[VERB_IDLE];

    connbed_log_in(&bed, &client, &backend);
    exchange("b FETCH 1 X\r\n", "* 1 FETCH (X {8}\r\nb OK ab\n)\r\nb OK\r\n");
    exchange("c FETCH 2 X\r\n", "c NO\r\n");
    exchange("d FETCH X\r\n", "d BAD\r\n");
    exchange("e IDLE\r\n", "+ \r\n");
    exchange("DONE\r\n", "e OK\r\n");
    cr_expect_eq(metric_get(&b->logins_succeeded), 1);
    cr_expect_eq(metric_get(&b->logins_refused) + metric_get(&b->attempts_failed), 0);
    cr_expect_eq(metric_get(&fetch->ok), 1);
    cr_expect_eq(metric_get(&fetch->no), 1);
    cr_expect_eq(metric_get(&fetch->bad), 1);
    cr_expect_eq(timed(fetch), 3);
    cr_expect_geq(metric_get(&fetch->latency_sum), 3 * (THINKING_MS - 1));
    cr_expect_eq(metric_get(&idle->ok), 1);
    cr_expect_eq(timed(idle), 0);
    cr_expect_eq(metric_get(&b->bytes_to_backend), asked);
    cr_expect_eq(metric_get(&b->bytes_to_client), answered);
    cr_expect_eq(metric_get(&bed.metrics.bytes_to_backend), metric_get(&b->bytes_to_backend));
    cr_expect_eq(metric_get(&bed.metrics.bytes_to_client), metric_get(&b->bytes_to_client));
    peer_close(&backend);
    finish();
}

/* A client that has sent its password, and the backend that was dialled for it. */
static void ask_to_log_in(void)
{
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    cr_assert(peer_hears(&client, "* OK "));
    peer_say(&client, "a LOGIN alice@example.org sesame\r\n");
    connbed_accept(&bed, &backend);
}

Test(ledger, refusals_are_the_backends)
{
    const struct backend_metrics *b = start();
    char line[256], reply[300];

    ask_to_log_in();
    peer_say(&backend, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n");
    cr_assert(peer_hears_line(&backend, line, sizeof(line)));
    *strchr(line, ' ') = '\0';
    snprintf(reply, sizeof(reply), "%s NO [AUTHENTICATIONFAILED] no\r\n", line);
    peer_say(&backend, reply);
    cr_expect(connbed_logged(&bed, "event=login_refused"));
    cr_expect_eq(metric_get(&b->logins_refused), 1);
    cr_expect_eq(metric_get(&b->attempts_failed), 0);
    cr_expect_eq(metric_get(&b->logins_succeeded), 0);
    peer_close(&backend);
    finish();
}

Test(ledger, outages_are_no_refusals)
{
    const struct backend_metrics *b = start();

    ask_to_log_in();
    peer_close(&backend);
    cr_expect(peer_hears(&client, "a NO [UNAVAILABLE]"));
    cr_expect_eq(metric_get(&b->logins_refused), 0);
    cr_expect_eq(metric_get(&b->attempts_failed), 1);
    cr_expect_eq(metric_get(&bed.metrics.logins_refused[REFUSAL_unavailable]), 1);
    finish();
}
