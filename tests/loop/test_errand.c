/*
 * Errands: every worker is visited on its own thread, whatever it is just doing, and the errand
 * comes back to the loop that sent it.
 */
#include <criterion/criterion.h>

#include "run/errand.h"
#include "support/sockets.h"
#include "support/workbed.h"

#define MANY 200

struct trip {
    struct errand errand;
    unsigned visits[WORKBED_WORKERS], seen[WORKBED_WORKERS], resting, returns;
    uint64_t idle;
    char user[32], backend[32];
    enum reason say; /* asks everybody to leave */
    bool again;      /* goes a second time when it is back */
};

static struct workbed bed;
static struct errands errands;
static struct peer client, backend, second, second_backend;

static void on_conn(void *ctx, struct conn *c)
{
    struct trip *trip = ctx;
    struct conn_view view;

    conn_look(c, &view);
    trip->resting += view.resting;
    trip->idle = view.idle;
    snprintf(trip->user, sizeof(trip->user), "%s", view.user == NULL ? "" : view.user);
    snprintf(trip->backend, sizeof(trip->backend), "%s", view.backend == NULL ? "" : view.backend);
    if (trip->say != REASON_none)
        conn_leave(c, trip->say);
}

static void visit(struct errand *errand, struct worker *worker)
{
    struct trip *trip = container_of(errand, struct trip, errand);

    trip->visits[worker->index]++;
    trip->seen[worker->index] = (unsigned)worker->home.count;
    if (worker->home.count > 0) /* of at most one worker in these tests */
        conns_each(&worker->home, on_conn, trip);
}

static void done(struct errand *errand)
{
    struct trip *trip = container_of(errand, struct trip, errand);

    trip->returns++;
    if (trip->again)
        trip->again = !errand_send(&errands, errand);
}

static struct trip plan(void)
{
    return (struct trip){.errand = {.visit = visit, .done = done}};
}

static void start(const char *extra)
{
    workbed_start(&bed, extra);
    cr_assert_eq(errands_init(&errands, &bed.conns.loop), 0);
    errands.workers = bed.workers;
    errands.worker_count = WORKBED_WORKERS;
}

static void finish(void)
{
    workbed_stop(&bed);
    errands_close(&errands);
    workbed_close(&bed);
}

static bool returns(const struct trip *trip, unsigned times)
{
    uint64_t end = uv_hrtime() + PEER_PATIENCE_MS * 1000000ull;

    while (trip->returns < times && uv_hrtime() < end)
        connbed_turn(&bed.conns);
    return trip->returns == times;
}

static void expect_visits(const struct trip *trip, unsigned times)
{
    for (unsigned i = 0; i < WORKBED_WORKERS; i++)
        cr_expect_eq(trip->visits[i], times, "worker %u was visited %u times", i, trip->visits[i]);
}

Test(errand, visits_every_worker_once_and_comes_back)
{
    struct trip trip = plan();

    start(NULL);
    connbed_log_in(&bed.conns, &client, &backend);
    cr_assert(errand_send(&errands, &trip.errand));
    cr_expect_eq(trip.returns, 0, "came back before the loop had a turn");
    cr_expect(returns(&trip, 1));
    expect_visits(&trip, 1);
    cr_expect_eq(trip.seen[0] + trip.seen[1], 1);
    cr_expect_eq(trip.resting, 1);
    cr_expect_str_eq(trip.user, "alice@example.org");
    cr_expect_str_eq(trip.backend, "b1");
    trip.again = true;
    cr_assert(errand_send(&errands, &trip.errand));
    cr_expect(returns(&trip, 3), "an errand can be sent from where it ends");
    expect_visits(&trip, 3);
    peer_close(&client);
    peer_close(&backend);
    finish();
}

Test(errand, many_at_once)
{
    static struct trip trips[MANY];

    start(NULL);
    for (unsigned i = 0; i < MANY; i++) {
        trips[i] = plan();
        cr_assert(errand_send(&errands, &trips[i].errand));
    }
    for (unsigned i = 0; i < MANY; i++) {
        cr_expect(returns(&trips[i], 1));
        expect_visits(&trips[i], 1);
    }
    finish();
}

Test(errand, a_visitor_makes_a_session_leave)
{
    struct trip trip = plan();

    start(NULL);
    connbed_log_in(&bed.conns, &client, &backend);
    trip.say = REASON_kicked;
    cr_assert(errand_send(&errands, &trip.errand));
    cr_expect(returns(&trip, 1));
    cr_expect(peer_hears(&client, "* BYE Disconnected by the administrator.\r\n"));
    cr_expect(peer_hears_end(&client));
    cr_expect(connbed_logged(&bed.conns, "reason=kicked"));
    peer_close(&client);
    peer_close(&backend);
    finish();
}

/* Also when the client has been silent for longer than a leaving session is given. */
Test(errand, a_command_under_way_is_finished_first)
{
    struct trip trip = plan();

    start("\"timeouts\": {\"drain\": \"4s\"}");
    connbed_log_in(&bed.conns, &client, &backend);
    peer_say(&client, "b SEARCH ALL\r\n");
    cr_assert(peer_hears(&backend, "b SEARCH ALL\r\n"));
    for (trip.say = REASON_none; trip.idle < 2500; trip.returns = 0) {
        cr_assert(errand_send(&errands, &trip.errand));
        cr_assert(returns(&trip, 1));
    }
    cr_expect_eq(trip.resting, 0);
    trip.say = REASON_kicked;
    cr_assert(errand_send(&errands, &trip.errand));
    cr_expect(returns(&trip, 1));
    peer_say(&backend, "* SEARCH 7\r\nb OK done\r\n");
    cr_expect(peer_hears(&client, "* SEARCH 7\r\nb OK done\r\n* BYE Disconnected"));
    peer_die(&client);
    peer_close(&backend);
    finish();
}

Test(errand, a_worker_that_has_ended_counts_as_visited)
{
    struct trip trip = plan();

    start(NULL);
    cr_assert(worker_post(&bed.workers[0], LETTER_DRAIN));
    while (!worker_done(&bed.workers[0]))
        connbed_turn(&bed.conns);
    cr_assert(errand_send(&errands, &trip.errand));
    cr_expect_eq(trip.returns, 0);
    cr_expect(returns(&trip, 1));
    cr_expect_eq(trip.visits[0], 0);
    cr_expect_eq(trip.visits[1], 1);
    finish();
}

/* --- a worker about to end --- */

static uv_sem_t about_to_end, sent;
static void (*original)(struct conn_home *home);

static void slowly_gone(struct conn_home *home)
{
    uv_sem_post(&about_to_end);
    uv_sem_wait(&sent);
    original(home);
}

static void slow_down(struct errand *errand, struct worker *worker)
{
    visit(errand, worker);
    if (worker->home.count == 0)
        return;
    original = worker->home.gone;
    worker->home.gone = slowly_gone;
}

/* It closes its mailbox without having seen what has just arrived there. */
Test(errand, the_last_mail_is_read)
{
    struct trip before = plan(), last = plan();

    start(NULL);
    cr_assert_eq(uv_sem_init(&about_to_end, 0), 0);
    cr_assert_eq(uv_sem_init(&sent, 0), 0);
    connbed_log_in(&bed.conns, &client, &backend);
    before.errand.visit = slow_down;
    cr_assert(errand_send(&errands, &before.errand));
    cr_assert(returns(&before, 1));
    workbed_post(&bed, LETTER_DRAIN);
    workbed_post(&bed, LETTER_STOP);
    uv_sem_wait(&about_to_end);
    cr_assert(errand_send(&errands, &last.errand));
    uv_sem_post(&sent);
    cr_expect(returns(&last, 1), "lost in a mailbox");
    peer_die(&client);
    peer_close(&backend);
    finish();
    uv_sem_destroy(&about_to_end);
    uv_sem_destroy(&sent);
}

Test(errand, those_on_their_way_come_home_at_the_end)
{
    static struct trip trips[MANY];
    struct trip late = plan();

    start(NULL);
    for (unsigned i = 0; i < MANY; i++) {
        trips[i] = plan();
        trips[i].again = true;
        cr_assert(errand_send(&errands, &trips[i].errand));
    }
    workbed_stop(&bed);
    errands_close(&errands);
    for (unsigned i = 0; i < MANY; i++)
        cr_expect_eq(trips[i].returns, 1);
    cr_expect_not(errand_send(&errands, &late.errand), "it is too late");
    workbed_close(&bed);
}

static void count(void *ctx, struct conn *c)
{
    unsigned *seen = ctx;

    (void)c;
    ++*seen;
}

/* A visit in pieces sees each connection once, though some end on the way. */
Test(errand, visits_in_pieces)
{
    struct connbed *conns = &bed.conns;
    uint64_t cursor = 0;
    unsigned seen = 0;

    connbed_open(conns, NULL, "\"tls\": \"none\"");
    connbed_log_in(conns, &client, &backend);
    connbed_log_in(conns, &second, &second_backend);
    cr_expect(conns_some(&conns->home, &cursor, 1, count, &seen));
    cr_expect_eq(seen, 1);
    peer_close(&client);
    peer_close(&backend);
    while (conns->home.count > 1)
        connbed_turn(conns);
    cr_expect_not(conns_some(&conns->home, &cursor, 1, count, &seen));
    cr_expect_eq(seen, 2);
    cr_expect_not(conns_some(&conns->home, &cursor, 1, count, &seen));
    cr_expect_eq(seen, 2);
    peer_close(&second);
    peer_close(&second_backend);
    cr_expect(connbed_empties(conns));
    connbed_close(conns);
}
