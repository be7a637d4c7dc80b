/*
 * Counts and rates, step by step and beside a model.
 */
#include "waypost/limit/tally.h"

#include <criterion/criterion.h>

#include "support/limit_model.h"

static struct tallies t;

static void begin(void)
{
    cr_assert(tallies_init(&t, 2));
}

static void end(void)
{
    tallies_fini(&t);
}

TestSuite(tally, .init = begin, .fini = end);

static enum tally_verdict enter(uint64_t key, unsigned max, uint32_t *position)
{
    return tally_enter(&t, key, TALLY_OPEN, max, 0, position);
}

Test(tally, the_last_is_refused_until_one_leaves)
{
    uint32_t a, b, c;

    cr_expect_eq(enter(1, 2, &a), TALLY_COUNTED);
    cr_expect_eq(enter(1, 2, &b), TALLY_COUNTED);
    cr_expect_eq(enter(1, 2, &c), TALLY_REFUSED);
    cr_expect_eq(tally_enter(&t, 1, TALLY_EARLY, 1, 0, &c), TALLY_COUNTED, "another count");
    tally_leave(&t, &c, TALLY_EARLY, 0);
    tally_leave(&t, &a, TALLY_OPEN, 0);
    tally_leave(&t, &a, TALLY_OPEN, 0);
    cr_expect_eq(enter(1, 2, &a), TALLY_COUNTED, "leaving twice is leaving once");
    cr_expect_eq(enter(1, 2, &c), TALLY_REFUSED);
    cr_expect_eq(enter(1, 0, &c), TALLY_COUNTED, "0 is any number");
    tally_leave(&t, &a, TALLY_OPEN, 0);
    tally_leave(&t, &b, TALLY_OPEN, 0);
    tally_leave(&t, &c, TALLY_OPEN, 0);
    cr_expect_eq(t.table.count, 0, "nothing is left behind");
}

Test(tally, t81_a_table_full_of_live_counts_refuses_nobody)
{
    uint32_t a, b, c;

    cr_expect_eq(enter(1, 1, &a), TALLY_COUNTED);
    cr_expect_eq(enter(2, 1, &b), TALLY_COUNTED);
    cr_expect_eq(enter(3, 1, &c), TALLY_UNTRACKED);
    cr_expect_eq(c, 0);
    cr_expect_eq(enter(1, 1, &c), TALLY_REFUSED, "live counts were kept");
    tally_leave(&t, &c, TALLY_OPEN, 0);
    tally_leave(&t, &a, TALLY_OPEN, 0);
    cr_expect_eq(enter(3, 1, &c), TALLY_COUNTED, "there is room again");
}

Test(tally, t81_the_longest_idle_make_room_and_the_live_do_not)
{
    uint32_t held;

    cr_assert(tally_attempt(&t, 1, 1, 0));
    cr_expect_eq(enter(2, 1, &held), TALLY_COUNTED);
    for (uint64_t key = 3; key < 1000; key++)
        cr_assert(tally_attempt(&t, key, 1, 0));
    cr_expect_eq(t.table.count, 2);
    cr_expect(tally_attempt(&t, 1, 1, 0), "its attempt was forgotten");
    cr_expect_eq(enter(2, 1, &held), TALLY_REFUSED, "its session was not");
}

Test(tally, attempts_are_counted_by_the_minute)
{
    static const struct {
        uint64_t now;
        bool allowed;
    } rows[] = {
        {0, true},      {100, true},    {200, true},
        {300, true},    {59999, false}, /* four within the minute */
        {75000, true},                  /* a quarter of them is forgotten */
        {75000, false}, {120000, true}, /* one of the minute before, none of the first */
        {400000, true}, {399000, true}, /* another thread's clock */
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(tally_attempt(&t, 1, 4, rows[i].now), rows[i].allowed, "row %zu", i);
    cr_expect(tally_attempt(&t, 1, 0, 400000), "no limit");
}

Test(tally, a_crowd_that_left_is_forgotten)
{
    struct tallies big;

    cr_assert(tallies_init(&big, 1000));
    for (uint64_t key = 0; key < 1000; key++)
        cr_assert(tally_attempt(&big, key, 1, 0));
    for (uint64_t key = 0; key < 1000; key++)
        cr_assert(tally_attempt(&big, 5000 + key % 2, 0, 0) &&
                  tally_attempt(&big, 5000 + key, 1, 200000));
    cr_expect_leq(big.table.count, 1000);
    cr_expect_geq(big.table.count, 1);
    for (uint64_t key = 0; key < 1000; key++)
        cr_assert(tally_attempt(&big, key, 1, 200000), "%llu", (unsigned long long)key);
    tallies_fini(&big);
}

Test(tally, agrees_with_a_model)
{
    static uint8_t data[20001];
    uint64_t state = 88172645463325252ull;

    for (unsigned round = 0; round < 64; round++) {
        for (size_t i = 0; i < sizeof(data); i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            data[i] = (uint8_t)(state >> 24);
        }
        data[0] = (uint8_t)round;
        limit_model_run(data, sizeof(data));
    }
}
