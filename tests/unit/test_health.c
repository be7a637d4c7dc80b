/*
 * When a backend is up: what probes, logins and the operator have to say in it.
 */
#include "waypost/route/health.h"

#include <criterion/criterion.h>

static const struct health_rules probed = {.rise = 2, .fall = 3, .probed = true, .trial = 35000};
static const struct health_rules unprobed = {.rise = 2, .fall = 3, .trial = 35000};
static struct health h;

static void begin(void)
{
    health_init(&h, 1000);
}

TestSuite(health, .init = begin);

static enum health_news probe(bool up, uint64_t now)
{
    return health_probed(&h, &probed, up, slice_str(up ? NULL : "no greeting in time"), true, now);
}

static enum health_news fail(const struct health_rules *rules, uint64_t now)
{
    return health_login_failed(&h, rules, SLICE("connection refused"), false, now, now);
}

static void trip(const struct health_rules *rules, uint64_t now)
{
    for (unsigned i = 1; i < rules->fall; i++)
        cr_assert_eq(fail(rules, now), HEALTH_SAME);
    cr_assert_eq(fail(rules, now), HEALTH_FELL);
}

Test(health, nothing_known_is_up)
{
    cr_expect(health_is_up(&h));
    cr_expect_not(health_is_unsettled(&h));
    cr_expect(health_allows(&h, &probed, 1000));
    cr_expect(health_allows(&h, &unprobed, 1000));
    cr_expect_str_eq(h.why, "");
}

Test(health, probes_take_it_down_and_back)
{
    static const struct {
        bool up;
        enum health_news news;
        bool is_up, unsettled;
    } rows[] = {
        {true, HEALTH_SAME, true, false},  {false, HEALTH_SAME, true, true},
        {false, HEALTH_SAME, true, true},  {true, HEALTH_SAME, true, false},
        {false, HEALTH_SAME, true, true},  {false, HEALTH_SAME, true, true},
        {false, HEALTH_FELL, false, true}, {false, HEALTH_SAME, false, true},
        {true, HEALTH_SAME, false, true},  {false, HEALTH_SAME, false, true},
        {true, HEALTH_SAME, false, true},  {true, HEALTH_ROSE, true, false},
        {true, HEALTH_SAME, true, false},  {false, HEALTH_SAME, true, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        cr_expect_eq(probe(rows[i].up, 2000 + i), rows[i].news, "row %zu", i);
        cr_expect_eq(health_is_up(&h), rows[i].is_up, "row %zu", i);
        cr_expect_eq(health_is_unsettled(&h), rows[i].unsettled, "row %zu", i);
        cr_expect_eq(health_allows(&h, &probed, 2000 + i), rows[i].is_up, "row %zu", i);
    }
    cr_expect_str_eq(h.why, "no greeting in time");
    cr_expect_eq(h.since, 2011, "when it rose");
}

Test(health, one_is_enough_where_the_rules_say_so)
{
    static const struct health_rules quick = {.rise = 1, .fall = 1, .probed = true};

    cr_expect_eq(health_probed(&h, &quick, false, SLICE("x"), false, 1), HEALTH_FELL);
    cr_expect_eq(h.down, HEALTH_BY_PROBE);
    cr_expect_eq(health_probed(&h, &quick, true, SLICE(""), false, 2), HEALTH_ROSE);
    cr_expect_eq(health_login_failed(&h, &quick, SLICE("x"), false, 3, 3), HEALTH_FELL);
    cr_expect_eq(h.down, HEALTH_BY_LOGINS);
}

Test(health, failed_logins_in_a_row_trip_the_breaker)
{
    cr_expect_eq(fail(&probed, 2000), HEALTH_SAME);
    cr_expect_eq(fail(&probed, 2001), HEALTH_SAME);
    cr_expect_eq(health_login_reached(&h, &probed, 2002), HEALTH_SAME);
    cr_expect_eq(fail(&probed, 2003), HEALTH_SAME);
    cr_expect_eq(fail(&probed, 2004), HEALTH_SAME);
    cr_expect_eq(probe(true, 2005), HEALTH_SAME, "a probe proves nothing about logins");
    cr_expect_eq(fail(&probed, 2006), HEALTH_FELL);
    cr_expect_eq(h.down, HEALTH_BY_LOGINS);
    cr_expect_str_eq(h.why, "connection refused");
    cr_expect(health_is_unsettled(&h), "so it is probed soon");
    for (uint64_t now = 2006; now < 5000000; now += 60000)
        cr_expect_not(health_allows(&h, &probed, now), "probes decide: no trials");
}

Test(health, probes_close_the_breaker)
{
    trip(&probed, 2000);
    cr_expect_eq(probe(true, 2001), HEALTH_SAME);
    cr_expect_eq(probe(false, 2002), HEALTH_SAME);
    cr_expect_eq(probe(true, 2003), HEALTH_SAME);
    cr_expect_eq(probe(true, 2004), HEALTH_ROSE);
    cr_expect(health_allows(&h, &probed, 2005));
    cr_expect_eq(fail(&probed, 2006), HEALTH_SAME, "counted from the beginning");
}

static unsigned probes_to_rise(void)
{
    unsigned count = 1;

    while (probe(true, 3000) != HEALTH_ROSE)
        count++;
    return count;
}

/* Its greeting is fine, its logins are not: it must not go up and down every few seconds. */
Test(health, a_breaker_that_trips_again_and_again_is_closed_more_slowly)
{
    static const unsigned wanted[] = {2, 4, 8, 16, 32, 32, 32};

    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        trip(&probed, 5000);
        cr_expect_eq(probes_to_rise(), wanted[i], "trip %zu", i);
    }
    cr_expect_eq(health_login_reached(&h, &probed, 5000), HEALTH_SAME);
    trip(&probed, 5000);
    cr_expect_eq(probes_to_rise(), 2, "a login had got through");
    trip(&probed, 5000);
    for (unsigned i = 0; i < 3; i++)
        probe(false, 5000);
    cr_expect_eq(probes_to_rise(), 4, "counted from the last failure");
    for (unsigned i = 0; i < 3; i++)
        probe(false, 5000);
    cr_expect_eq(probes_to_rise(), 2, "what probes took down is another matter");
}

Test(health, a_login_that_gets_through_closes_the_breaker)
{
    trip(&probed, 2000);
    cr_expect_eq(health_login_reached(&h, &probed, 2001), HEALTH_ROSE);
    cr_expect(health_is_up(&h));
}

Test(health, a_login_that_gets_through_does_not_overrule_probes)
{
    for (unsigned i = 0; i < 3; i++)
        probe(false, 2000);
    cr_expect_eq(health_login_reached(&h, &probed, 2001), HEALTH_SAME);
    cr_expect_not(health_is_up(&h));
}

Test(health, without_probes_a_trial_closes_the_breaker)
{
    trip(&unprobed, 2000);
    cr_expect_not(health_allows(&h, &unprobed, 2000 + HEALTH_COOLDOWN - 1));
    cr_expect(health_allows(&h, &unprobed, 2000 + HEALTH_COOLDOWN));
    cr_expect_not(health_is_up(&h));
    cr_expect_eq(health_login_reached(&h, &unprobed, 13000), HEALTH_ROSE);
    cr_expect(health_allows(&h, &unprobed, 13000));
    cr_expect(health_allows(&h, &unprobed, 13000));
}

Test(health, one_trial_at_a_time)
{
    uint64_t now = 2000 + HEALTH_COOLDOWN;

    trip(&unprobed, 2000);
    cr_expect(health_allows(&h, &unprobed, now));
    cr_expect_not(health_allows(&h, &unprobed, now));
    cr_expect_not(health_allows(&h, &unprobed, now + 34999));
    cr_expect_eq(fail(&unprobed, now + 100), HEALTH_SAME, "it failed: no news");
    cr_expect_not(health_allows(&h, &unprobed, now + 100 + HEALTH_COOLDOWN - 1));
    cr_expect(health_allows(&h, &unprobed, now + 100 + HEALTH_COOLDOWN));
}

Test(health, a_lost_trial_does_not_block_for_ever)
{
    uint64_t now = 2000 + HEALTH_COOLDOWN;

    trip(&unprobed, 2000);
    for (unsigned i = 0; i < 5; i++, now += unprobed.trial) {
        cr_expect(health_allows(&h, &unprobed, now), "%u", i);
        cr_expect_not(health_allows(&h, &unprobed, now + unprobed.trial - 1), "%u", i);
    }
}

/* Those that were under way when it fell, or when it came back, say nothing new. */
Test(health, late_failures_do_not_count)
{
    uint64_t now = 2000 + HEALTH_COOLDOWN;

    trip(&unprobed, 2000);
    for (unsigned i = 0; i < 100; i++)
        cr_expect_eq(health_login_failed(&h, &unprobed, SLICE("late"), true, 1999, now - 1),
                     HEALTH_SAME);
    cr_expect_str_eq(h.why, "connection refused");
    cr_expect(health_allows(&h, &unprobed, now), "they do not put the trial off");
    cr_expect_eq(health_login_reached(&h, &unprobed, now + 1), HEALTH_ROSE);
    for (unsigned i = 0; i < 100; i++)
        cr_expect_eq(health_login_failed(&h, &unprobed, SLICE("late"), true, 1999, now + 2),
                     HEALTH_SAME);
    cr_expect(health_is_up(&h));
}

Test(health, what_probes_took_down_comes_back_by_trial_once_nobody_probes)
{
    for (unsigned i = 0; i < 3; i++)
        probe(false, 2000);
    cr_expect_not(health_allows(&h, &unprobed, 2000));
    cr_expect(health_allows(&h, &unprobed, 2000 + HEALTH_COOLDOWN));
    cr_expect_eq(health_login_reached(&h, &unprobed, 13000), HEALTH_ROSE);
}

Test(health, dead_is_down_and_silent)
{
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_not(health_is_dead(&h), "%u", i);
        probe(false, 2000);
    }
    cr_expect(health_is_dead(&h));
    cr_expect_eq(fail(&probed, 2001), HEALTH_SAME);
    cr_expect_not(health_is_dead(&h), "a refusal is an answer");
    probe(false, 2002);
    cr_expect(health_is_dead(&h));
    health_login_failed(&h, &probed, SLICE("late"), false, 1000, 2003);
    cr_expect(health_is_dead(&h), "late news");
    probe(true, 2004);
    cr_expect_not(health_is_dead(&h), "before it is up again");
    cr_expect_not(health_is_up(&h));
}

Test(health, flapping_is_one_change_each)
{
    unsigned fell = 0, rose = 0;

    for (unsigned i = 0; i < 1000; i++) {
        enum health_news news = probe(i % 2 == 0, 2000 + i);
        fell += news == HEALTH_FELL;
        rose += news == HEALTH_ROSE;
    }
    cr_expect_eq(fell + rose, 0, "never three in a row");
    for (unsigned i = 0; i < 1000; i++) {
        enum health_news news = probe(i % 10 < 5, 4000 + i);
        fell += news == HEALTH_FELL;
        rose += news == HEALTH_ROSE;
    }
    cr_expect_eq(fell, 100);
    cr_expect_eq(rose, 99, "the last is still to come");
}

Test(health, what_the_operator_sets_is_nobody_elses)
{
    h.set_down = true;
    for (unsigned i = 0; i < 10; i++)
        cr_expect_eq(probe(true, 2000 + i), HEALTH_SAME);
    cr_expect_eq(health_login_reached(&h, &probed, 2100), HEALTH_SAME);
    cr_expect(h.set_down);
    cr_expect_not(health_is_up(&h));
    cr_expect_not(health_allows(&h, &probed, 2100));
    for (unsigned i = 0; i < 3; i++)
        probe(false, 2200);
    for (unsigned i = 0; i < 2; i++)
        probe(true, 2300);
    cr_expect(h.set_down, "through a fall and a rise");
    cr_expect_not(health_is_up(&h));
    h.set_down = false;
    cr_expect(health_is_up(&h), "what the probes saw meanwhile holds");
}

Test(health, no_trial_of_what_the_operator_set_down)
{
    trip(&unprobed, 2000);
    h.set_down = true;
    cr_expect_not(health_allows(&h, &unprobed, 50000));
    h.set_down = false;
    cr_expect(health_allows(&h, &unprobed, 50000), "none was consumed");
}

Test(health, draining_is_neither_up_nor_down)
{
    h.draining = true;
    cr_expect(health_is_up(&h));
    cr_expect(health_allows(&h, &probed, 2000), "of those who are there");
    trip(&probed, 2000);
    cr_expect_eq(health_login_reached(&h, &probed, 2001), HEALTH_ROSE);
    cr_expect(h.draining);
}

Test(health, another_server_begins_anew)
{
    trip(&probed, 2000);
    h.draining = true;
    health_renew(&h, 3000);
    cr_expect(health_is_up(&h));
    cr_expect(h.draining);
    cr_expect_str_eq(h.why, "");
    cr_expect_eq(h.since, 3000);
}

Test(health, a_long_reason_is_cut)
{
    char text[1000];

    memset(text, 'x', sizeof(text));
    health_login_failed(&h, &probed, slice_of(text, sizeof(text)), false, 2000, 2000);
    cr_expect_eq(strlen(h.why), HEALTH_WHY - 1);
}
