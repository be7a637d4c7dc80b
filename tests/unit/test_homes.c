/*
 * The rule that keeps a user at one backend, case by case and then under a random storm of logins,
 * outages, orders and drains, where no user may ever hold leases at two backends.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "waypost/place/homes.h"

#define LINGER 1000u
#define SETTLE 50u

/* What backends would say; each is known by its address here. */
static struct backend {
    bool up, draining;
} a, b, c;

static const void *const all[] = {&a, &b, &c};

static bool serves(void *ctx, const void *backend)
{
    const struct backend *at = backend;
    UNUSED(ctx);
    return at->up;
}

static bool admits(void *ctx, const void *backend)
{
    const struct backend *at = backend;
    return serves(ctx, backend) && !at->draining;
}

static struct homes homes;

static void set_up(void)
{
    a = b = c = (struct backend){.up = true};
    cr_assert(homes_init(&homes, 8));
}

static void tear_down(void)
{
    homes_fini(&homes);
}

TestSuite(homes, .init = set_up, .fini = tear_down);

static struct home_query query_from(const void *const *choices, size_t count, const void *failed)
{
    return (struct home_query){.key = 7,
                               .choices = choices,
                               .choice_count = count,
                               .failed = failed,
                               .admits = admits,
                               .serves = serves,
                               .linger = LINGER};
}

static struct home_answer place(const void *failed, uint64_t now)
{
    struct home_query query = query_from(all, 3, failed);
    return homes_place(&homes, &query, now);
}

/* Somebody is logged in at the first choice. */
static struct home *log_in(uint64_t now)
{
    struct home_answer answer = place(NULL, now);
    cr_assert_eq(answer.verdict, HOME_PLACED);
    homes_settle(answer.home);
    return answer.home;
}

static void expect_at(struct home_answer answer, const void *backend)
{
    cr_assert_eq(answer.verdict, HOME_PLACED);
    cr_expect_eq(answer.at, backend);
}

Test(homes, a_second_login_joins_whatever_the_choice_is_now)
{
    const void *const other[] = {&b, &c};
    struct home_query query = query_from(other, 2, NULL);
    struct home *home = log_in(0);

    expect_at(homes_place(&homes, &query, 1), &a);
    homes_release(&homes, home, false, SETTLE, 2);
    homes_release(&homes, home, true, SETTLE, 3);
    /* A backend that is among the choices no more is no home for those who are not there. */
    cr_expect_eq(homes_place(&homes, &query, 4).verdict, HOME_HELD, "not before it has settled");
    expect_at(homes_place(&homes, &query, 3 + SETTLE), &b);
}

Test(homes, a_user_lingers_at_home_and_is_forgotten_in_the_end)
{
    const void *const turned[] = {&c, &b, &a};
    struct home_query query = query_from(turned, 3, NULL);
    struct home_answer answer;

    homes_release(&homes, log_in(0), true, SETTLE, 10);
    answer = homes_place(&homes, &query, 10 + LINGER - 1);
    expect_at(answer, &a);
    homes_release(&homes, answer.home, false, SETTLE, 20 + LINGER);
    expect_at(homes_place(&homes, &query, 20 + 2 * LINGER), &c);
}

Test(homes, a_login_that_fails_leaves_nothing_behind)
{
    struct home_answer answer = place(NULL, 0);

    homes_release(&homes, answer.home, false, SETTLE, 1);
    cr_expect_eq(homes.table.count, 0);
    expect_at(place(&a, 2), &b);
}

Test(homes, failing_logins_move_together)
{
    struct home_answer first = place(NULL, 0), second = place(NULL, 0), third;

    homes_release(&homes, first.home, false, SETTLE, 1);
    cr_expect_eq(place(&a, 1).verdict, HOME_HELD, "another one may still get through");
    cr_expect_eq(place(NULL, 1).verdict, HOME_HELD, "and no more go there");
    homes_release(&homes, second.home, false, SETTLE, 2);
    third = place(&a, 2);
    expect_at(third, &b);
    expect_at(place(NULL, 3), &b);
}

Test(homes, a_session_shows_that_the_backend_can_be_reached)
{
    struct home_answer first = place(NULL, 0), second = place(NULL, 0);

    homes_release(&homes, first.home, false, SETTLE, 1);
    cr_expect_eq(place(&a, 1).verdict, HOME_HELD);
    homes_settle(second.home);
    cr_expect_eq(place(&a, 2).verdict, HOME_HELD);
    cr_expect_not(atomic_load(&second.home->leaving));
    expect_at(place(NULL, 3), &a);
}

Test(homes, sessions_at_a_dead_backend_must_go_before_anybody_is_elsewhere)
{
    struct home *home = log_in(0);
    struct home_answer answer;

    a.up = false;
    answer = place(NULL, 1);
    cr_expect_eq(answer.verdict, HOME_HELD);
    cr_expect(answer.evicting && atomic_load(&home->leaving));
    homes_release(&homes, home, true, SETTLE, 2);
    answer = place(NULL, 3);
    cr_expect_eq(answer.verdict, HOME_HELD);
    cr_expect_eq(answer.until, 2 + SETTLE);
    cr_expect_not(answer.evicting);
    expect_at(place(NULL, 2 + SETTLE), &b);
}

Test(homes, draining_keeps_those_who_are_there_and_lets_nobody_in)
{
    struct home *home = log_in(0);

    a.draining = true;
    expect_at(place(NULL, 1), &a);
    homes_release(&homes, home, false, SETTLE, 2);
    homes_evict(home);
    cr_expect_eq(place(NULL, 3).verdict, HOME_HELD);
    homes_release(&homes, home, true, 0, 4);
    expect_at(place(NULL, 4), &b);
}

Test(homes, nowhere_when_all_are_down)
{
    a.up = b.up = c.up = false;
    cr_expect_eq(place(NULL, 0).verdict, HOME_NOWHERE);
    cr_expect_eq(homes.table.count, 0);
}

Test(homes, an_order_moves_the_user_once_all_have_left)
{
    struct home *home = log_in(0), *ordered = homes_order(&homes, 7, &c, 1);

    cr_assert_eq(ordered, home);
    cr_expect_null(homes_order(&homes, 7, &b, 1), "one at a time");
    cr_expect(atomic_load(&home->leaving));
    cr_expect(place(NULL, 2).evicting);
    homes_release(&homes, home, true, SETTLE, 3);
    cr_expect_not(homes_vacant(ordered, 4));
    cr_expect_eq(place(NULL, 4).verdict, HOME_HELD);
    cr_expect(homes_vacant(ordered, 3 + SETTLE));
    cr_expect(homes_obeyed(&homes, ordered, 3 + SETTLE));
    expect_at(place(NULL, 4 + SETTLE), &c);
}

Test(homes, an_order_holds_where_the_choice_would_be_another)
{
    const void *const two[] = {&a, &b};
    struct home_query query = query_from(two, 2, NULL);

    cr_assert(homes_obeyed(&homes, homes_order(&homes, 7, &c, 0), 0));
    expect_at(homes_place(&homes, &query, 1), &c);
}

Test(homes, an_order_that_is_not_carried_out_leaves_the_user_where_he_is)
{
    struct home *home = log_in(0), *ordered = homes_order(&homes, 7, &c, 1);

    cr_assert_not_null(ordered);
    cr_expect_not(homes_obeyed(&homes, ordered, 2));
    cr_expect_not(atomic_load(&home->leaving));
    expect_at(place(NULL, 3), &a);
}

Test(homes, a_hold_keeps_logins_out_and_sessions_in)
{
    struct home *home = log_in(0);

    cr_assert(homes_hold(&homes, 7, 100, 1));
    cr_expect(homes_held(&homes, 7, 2));
    cr_expect_eq(place(NULL, 2).verdict, HOME_HELD);
    cr_expect_not(atomic_load(&home->leaving));
    cr_assert(homes_hold(&homes, 7, 0, 3));
    expect_at(place(NULL, 3), &a);
    cr_assert(homes_hold(&homes, 7, 100, 4));
    expect_at(place(NULL, 100), &a);
    cr_expect_not(homes_held(&homes, 7, 101));
}

Test(homes, a_hold_of_a_stranger_ends_without_a_trace)
{
    cr_assert(homes_hold(&homes, 9, 10, 0));
    cr_expect_eq(homes.table.count, 1);
    cr_expect_not(homes_held(&homes, 9, 10));
    cr_expect_eq(homes.table.count, 0);
}

Test(homes, a_table_full_of_sessions_says_so_and_one_of_lingerers_makes_room)
{
    struct home_query query = query_from(all, 3, NULL);
    struct home *first = NULL;

    for (query.key = 0; query.key < 8; query.key++) {
        struct home_answer answer = homes_place(&homes, &query, 0);
        cr_assert_eq(answer.verdict, HOME_PLACED);
        homes_settle(answer.home);
        first = query.key == 0 ? answer.home : first;
    }
    cr_expect_eq(homes_place(&homes, &query, 1).verdict, HOME_FULL);
    cr_expect_null(homes_order(&homes, 99, &a, 1));
    cr_expect_not(homes_hold(&homes, 99, 10, 1));
    homes_release(&homes, first, true, SETTLE, 2);
    cr_expect_eq(homes_place(&homes, &query, 3).verdict, HOME_PLACED);
}

/* --- the storm -------------------------------------------------------------------------------- */

#define USERS 5u
#define SEATS 40u

struct seat {
    bool taken, session;
    size_t user;
    struct home *home;
    const void *at;
};

struct storm {
    uint64_t random;
    struct seat seats[SEATS];
    struct home *orders[USERS];
    const void *failed[USERS];
    uint64_t now;
    size_t placed, moved;
};

/* Below n; the same in each run. */
static size_t draw(struct storm *s, size_t n)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return (size_t)(s->random % n);
}

static void expect_one_backend_each(const struct storm *s)
{
    const void *at[USERS] = {NULL};

    for (size_t i = 0; i < SEATS; i++) {
        const struct seat *seat = &s->seats[i];
        if (!seat->taken)
            continue;
        cr_assert(at[seat->user] == NULL || at[seat->user] == seat->at, "user %zu is at two",
                  seat->user);
        at[seat->user] = seat->at;
    }
}

static void try_seat(struct storm *s, struct seat *seat, size_t user)
{
    struct home_query query = query_from(all, 3, s->failed[user]);
    struct home_answer answer;

    query.key = user;
    answer = homes_place(&homes, &query, s->now);
    s->failed[user] = NULL;
    if (answer.verdict != HOME_PLACED)
        return;
    *seat = (struct seat){true, false, user, answer.home, answer.at};
    s->placed++;
}

static void change_seat(struct storm *s, struct seat *seat)
{
    const struct backend *at = seat->at;

    if (!seat->session && at->up && draw(s, 2) == 0) {
        homes_settle(seat->home);
        seat->session = true;
        return;
    }
    if (!seat->session)
        s->failed[seat->user] = seat->at;
    homes_release(&homes, seat->home, seat->session, SETTLE, s->now);
    seat->taken = false;
}

static void order(struct storm *s, size_t user)
{
    if (s->orders[user] == NULL) {
        s->orders[user] = homes_order(&homes, user, all[draw(s, 3)], s->now);
        return;
    }
    s->moved += homes_obeyed(&homes, s->orders[user], s->now) ? 1 : 0;
    s->orders[user] = NULL;
}

static void disturb(struct storm *s)
{
    struct backend *backends[] = {&a, &b, &c};
    struct backend *backend = backends[draw(s, 3)];

    switch (draw(s, 4)) {
    case 0:
        backend->up = !backend->up;
        break;
    case 1:
        backend->draining = !backend->draining;
        break;
    case 2:
        order(s, draw(s, USERS));
        break;
    default:
        cr_assert(homes_hold(&homes, draw(s, USERS), draw(s, 2) * (s->now + 20), s->now));
        break;
    }
}

Test(homes, no_user_is_at_two_backends_whatever_happens)
{
    struct storm *s = calloc(1, sizeof(*s));

    cr_assert_not_null(s);
    s->random = 4;
    for (unsigned i = 0; i < 400000; i++) {
        struct seat *seat = &s->seats[draw(s, SEATS)];
        s->now += draw(s, 4);
        if (draw(s, 8) == 0)
            disturb(s);
        else if (seat->taken)
            change_seat(s, seat);
        else
            try_seat(s, seat, draw(s, USERS));
        expect_one_backend_each(s);
    }
    cr_expect_gt(s->placed, 20000);
    cr_expect_gt(s->moved, 500);
    for (size_t i = 0; i < SEATS; i++) {
        if (s->seats[i].taken)
            homes_release(&homes, s->seats[i].home, s->seats[i].session, SETTLE, s->now);
    }
    free(s);
}
