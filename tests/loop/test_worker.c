/*
 * Workers in their own threads: mail, generations, the cap on sessions, draining and stopping.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "support/sockets.h"
#include "support/workbed.h"

static struct workbed bed;
static struct peer client, backend;

Test(worker, serves_and_stops)
{
    workbed_start(&bed, NULL);
    for (unsigned i = 0; i < 8; i++) {
        connbed_log_in(&bed.conns, &client, &backend);
        peer_say(&client, "b NOOP\r\n");
        cr_expect(peer_hears(&backend, "b NOOP\r\n"));
        peer_say(&backend, "b OK done\r\n");
        cr_expect(peer_hears(&client, "b OK done\r\n"));
        peer_close(&client);
        cr_expect(peer_hears_end(&backend));
        peer_close(&backend);
    }
    cr_expect_eq(metric_get(&bed.conns.metrics.logins_succeeded), 8);
    workbed_post(&bed, LETTER_DRAIN);
    cr_expect(workbed_ends(&bed, 5000));
    workbed_post(&bed, LETTER_DRAIN); /* into a closed mailbox */
    workbed_stop(&bed);
    workbed_close(&bed);
}

Test(worker, drains_with_a_bye_and_accepts_nobody)
{
    workbed_start(&bed, NULL);
    connbed_log_in(&bed.conns, &client, &backend);
    workbed_post(&bed, LETTER_DRAIN);
    cr_expect(peer_hears(&client, "* BYE "));
    cr_expect(peer_hears_end(&client));
    peer_close(&client);
    peer_close(&backend);
    cr_expect(workbed_ends(&bed, 5000));
    connbed_connect(&bed.conns, 0, &client);
    cr_expect_not(peer_secure(&client, bed.conns.ctx, "proxy.test"));
    peer_die(&client);
    workbed_stop(&bed);
    workbed_close(&bed);
}

Test(worker, stops_without_waiting_for_anybody)
{
    workbed_start(&bed, NULL);
    connbed_log_in(&bed.conns, &client, &backend);
    peer_say(&client, "b FETCH 1 BODY[]\r\n");
    cr_assert(peer_hears(&backend, "FETCH"));
    peer_say(&backend, "* 1 FETCH (BODY[] {100000}\r\nabc");
    cr_assert(peer_hears(&client, "abc"));
    workbed_post(&bed, LETTER_DRAIN);
    cr_expect_not(workbed_ends(&bed, 200), "left in the middle of a literal");
    workbed_post(&bed, LETTER_STOP);
    cr_expect(workbed_ends(&bed, 1000));
    cr_expect(connbed_logged(&bed.conns, "event=end"));
    peer_die(&client);
    peer_close(&backend);
    workbed_stop(&bed);
    workbed_close(&bed);
}

Test(worker, cap_on_sessions_is_shared)
{
    struct peer others[4];

    workbed_start(&bed, "\"limits\": {\"sessions\": 1}");
    connbed_log_in(&bed.conns, &client, &backend);
    for (unsigned i = 0; i < COUNT_OF(others); i++) {
        connbed_connect(&bed.conns, 0, &others[i]);
        cr_expect_not(peer_secure(&others[i], bed.conns.ctx, "proxy.test"));
        peer_die(&others[i]);
    }
    cr_expect_eq(metric_get(&bed.conns.metrics.sessions_ended[REASON_too_many_sessions]), 4);
    cr_expect_eq(metric_get(&bed.conns.metrics.sessions_accepted), 1);
    cr_expect(connbed_logged(&bed.conns, "event=turned_away"));
    peer_say(&client, "b NOOP\r\n");
    cr_expect(peer_hears(&backend, "b NOOP\r\n"));
    peer_close(&client);
    peer_close(&backend);
    workbed_stop(&bed);
    workbed_close(&bed);
}

static struct generation *load_another(const char *hostname)
{
    struct conf_errors errors = {NULL, 0};
    struct generation *generation = NULL;

    cr_assert(generation_load(testca_path(&bed.conns.ca, "waypost.json"), &bed.conns.tickets, NULL,
                              &generation, &errors));
    snprintf(generation->conf->hostname, strlen(generation->conf->hostname) + 1, "%s", hostname);
    return generation;
}

Test(worker, sessions_keep_the_generation_they_began_with)
{
    struct generation *second;
    struct peer late;

    workbed_start(&bed, NULL);
    connbed_connect(&bed.conns, 0, &client);
    cr_assert(peer_secure(&client, bed.conns.ctx, "proxy.test"));
    cr_expect(peer_hears(&client, "proxy.test ready"));
    second = load_another("other.test");
    workbed_use(&bed, second);
    cr_expect_eq(atomic_load(&bed.conns.generation->references), 2, "the bed's and the session's");
    connbed_connect(&bed.conns, 0, &late);
    cr_assert(peer_secure(&late, bed.conns.ctx, "proxy.test"));
    cr_expect(peer_hears(&late, "other.test ready"));
    generation_release(&second);
    peer_close(&client);
    peer_close(&late);
    workbed_stop(&bed);
    workbed_close(&bed);
}

Test(worker, ends_without_having_started)
{
    workbed_open(&bed, NULL);
    workbed_init(&bed, 0);
    worker_end(&bed.workers[0]);
    workbed_close(&bed);
}
