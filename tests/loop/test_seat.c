/*
 * Where a login may sit: what is answered when a session asks, and that all is given back.
 */
#include "run/seat.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/connbed.h"

static struct connbed bed;

/* One login, as far as a seat sees it. */
struct login {
    struct seat seat;
    struct lease lease;
    struct port backend;
    struct route_decision route;
};

static struct fleet_backend *b1(void)
{
    return bed.generation->fleet[0];
}

/* `cluster` NULL: nobody keeps the user anywhere. */
static struct login login_of(const char *user, const char *cluster)
{
    const struct conf_backend *backend = &bed.generation->conf->routes->backends[0];
    struct login login = {.route = {.verdict = ROUTE_TO,
                                    .cluster = cluster,
                                    .candidates = {backend},
                                    .candidate_count = 1}};
    struct str name = STR_ON(login.route.login);

    str_add(&name, slice_str(user));
    return login;
}

static bool obey(struct login *l, uint64_t now)
{
    return seat_obey(&l->seat, &bed.seating, bed.generation, &l->lease, &l->route, &l->backend,
                     now);
}

static enum lease_fact ask(struct login *l, uint64_t now)
{
    l->lease.ask = LEASE_PLACE;
    cr_assert(obey(l, now));
    cr_assert_eq(l->lease.ask, LEASE_NO_ASK);
    return l->lease.fact;
}

static void give_back(struct login *l, uint64_t now)
{
    l->lease.ask = LEASE_RELEASE;
    l->backend.busy = true;
    cr_expect_not(obey(l, now), "the connection is open still");
    l->backend.busy = false;
    cr_expect(obey(l, now));
    cr_expect_eq(l->lease.ask, LEASE_NO_ASK);
    cr_expect_null(l->seat.backend);
}

static void close_bed(void)
{
    cr_expect_eq(fleet_sessions(b1()), 0);
    cr_expect(fleet_begin_login(b1(), 1), "nobody is on his way");
    fleet_end_login(b1());
    connbed_close(&bed);
}

TestSuite(seat, .fini = close_bed, .timeout = 60);

Test(seat, a_place_is_counted_until_it_is_given_back)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    struct login ann = login_of("ann", NULL);

    cr_assert_eq(ask(&ann, 1), LEASE_PLACED);
    cr_expect_eq(ann.lease.backend, ann.route.candidates[0]);
    cr_expect_eq(fleet_sessions(b1()), 1);
    give_back(&ann, 2);
}

Test(seat, what_was_tried_or_is_down_is_no_place)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    struct login ann = login_of("ann", NULL);

    ann.lease.tried = 1;
    cr_expect_eq(ask(&ann, 1), LEASE_FAILED);
    ann.lease.tried = 0;
    fleet_set_down(&bed.fleet, b1(), true);
    cr_expect_eq(ask(&ann, 1), LEASE_FAILED);
    fleet_set_down(&bed.fleet, b1(), false);
}

Test(seat, t85_a_storm_of_logins_waits_its_turn)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\", \"logins_at_once\": 2");
    struct login first = login_of("a", NULL), second = login_of("b", "mail");
    struct login third = login_of("c", "mail"), fourth = login_of("d", NULL);

    cr_assert_eq(ask(&first, 1), LEASE_PLACED);
    cr_assert_eq(ask(&second, 1), LEASE_PLACED);
    cr_assert_eq(ask(&third, 1), LEASE_HELD);
    cr_expect_gt(third.lease.until, 1);
    cr_assert_eq(ask(&fourth, 1), LEASE_HELD);
    cr_expect_eq(ask(&third, third.lease.until), LEASE_HELD, "nobody has come in yet");
    seat_settle(&second.seat, &bed.seating);
    cr_expect_eq(ask(&third, third.lease.until), LEASE_PLACED);
    cr_expect_eq(ask(&fourth, 400), LEASE_HELD);
    give_back(&first, 500);
    give_back(&fourth, 500); /* who waits may leave */
    fourth = login_of("d", NULL);
    cr_expect_eq(ask(&fourth, 600), LEASE_PLACED);
    give_back(&second, 700);
    give_back(&third, 700);
    give_back(&fourth, 700);
}

Test(seat, whoever_waits_where_nobody_may_be_any_more_looks_anew)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\", \"logins_at_once\": 1");
    struct login first = login_of("a", "mail"), second = login_of("b", "mail");

    cr_assert_eq(ask(&first, 1), LEASE_PLACED);
    cr_assert_eq(ask(&second, 1), LEASE_HELD);
    fleet_set_down(&bed.fleet, b1(), true);
    cr_expect_eq(ask(&second, 300), LEASE_FAILED);
    cr_expect_null(second.seat.backend);
    fleet_set_down(&bed.fleet, b1(), false);
    give_back(&first, 400);
}

Test(seat, all_sessions_of_a_user_are_revoked_together)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    struct login phone = login_of("ann", "mail"), laptop = login_of("Ann", "mail");
    struct login other = login_of("bob", "mail");

    cr_assert_eq(ask(&phone, 1), LEASE_PLACED);
    seat_settle(&phone.seat, &bed.seating);
    cr_assert_eq(ask(&laptop, 1), LEASE_PLACED);
    cr_assert_eq(ask(&other, 1), LEASE_PLACED);
    registry_evict(&bed.registry, phone.seat.key, phone.seat.home);
    cr_expect(seat_revoked(&phone.seat) && seat_revoked(&laptop.seat));
    cr_expect_not(seat_revoked(&other.seat));
    give_back(&phone, 2);
    give_back(&laptop, 2);
    give_back(&other, 2);
}

Test(seat, a_login_without_an_answer_may_have_begun_a_session)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    struct login ann = login_of("ann", "mail"), eve = login_of("eve", "mail");

    cr_assert_eq(ask(&ann, 1), LEASE_PLACED);
    cr_assert_eq(ask(&eve, 1), LEASE_PLACED);
    ann.lease.committed = true;
    give_back(&ann, 10);
    give_back(&eve, 10);
    fleet_set_down(&bed.fleet, b1(), true);
    cr_expect_eq(ask(&ann, 20), LEASE_HELD, "not elsewhere before that has settled");
    cr_expect_eq(ann.lease.until, 10 + bed.generation->conf->placement.settle);
    cr_expect_eq(ask(&eve, 20), LEASE_FAILED, "never sent a password");
    cr_expect_eq(ask(&ann, ann.lease.until), LEASE_FAILED);
    fleet_set_down(&bed.fleet, b1(), false);
}

Test(seat, what_logins_find_is_told_to_those_who_watch)
{
    connbed_open(&bed, NULL, "\"tls\": \"none\"");
    struct login ann = login_of("ann", NULL);
    uint64_t begin = uv_hrtime() / 1000000 + 1;

    for (uint64_t now = begin; now < begin + 9 && !fleet_is_dead(b1()); now++) {
        cr_assert_eq(ask(&ann, now), LEASE_PLACED);
        ann.lease.news = LEASE_SILENT;
        ann.lease.why = "no answer in time";
        give_back(&ann, now);
        cr_expect_eq(ann.lease.news, LEASE_NO_NEWS);
    }
    cr_expect(fleet_is_dead(b1()));
    cr_expect_eq(ask(&ann, begin + 20), LEASE_FAILED);
}
