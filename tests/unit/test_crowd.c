/*
 * Counts and rates, step by step and beside a model.
 */
#include "waypost/limit/crowd.h"

#include <criterion/criterion.h>

#include "support/limit_model.h"

static struct crowd t;

static void begin(void)
{
    cr_assert(crowd_init(&t, 2));
}

static void end(void)
{
    crowd_fini(&t);
}

TestSuite(crowd, .init = begin, .fini = end);

static enum crowd_verdict enter(uint64_t key, unsigned max, uint32_t *position)
{
    return crowd_enter(&t, key, CROWD_OPEN, max, 0, position);
}

Test(crowd, the_last_is_refused_until_one_leaves)
{
    uint32_t a, b, c;

    cr_expect_eq(enter(1, 2, &a), CROWD_COUNTED);
    cr_expect_eq(enter(1, 2, &b), CROWD_COUNTED);
    cr_expect_eq(enter(1, 2, &c), CROWD_REFUSED);
    cr_expect_eq(crowd_enter(&t, 1, CROWD_EARLY, 1, 0, &c), CROWD_COUNTED, "another count");
    crowd_leave(&t, &c, CROWD_EARLY, 0);
    crowd_leave(&t, &a, CROWD_OPEN, 0);
    crowd_leave(&t, &a, CROWD_OPEN, 0);
    cr_expect_eq(enter(1, 2, &a), CROWD_COUNTED, "leaving twice is leaving once");
    cr_expect_eq(enter(1, 2, &c), CROWD_REFUSED);
    cr_expect_eq(enter(1, 0, &c), CROWD_COUNTED, "0 is any number");
    crowd_leave(&t, &a, CROWD_OPEN, 0);
    crowd_leave(&t, &b, CROWD_OPEN, 0);
    crowd_leave(&t, &c, CROWD_OPEN, 0);
    cr_expect_eq(t.table.count, 0, "nothing is left behind");
}

Test(crowd, t81_a_table_full_of_live_counts_refuses_nobody)
{
    uint32_t a, b, c;

    cr_expect_eq(enter(1, 1, &a), CROWD_COUNTED);
    cr_expect_eq(enter(2, 1, &b), CROWD_COUNTED);
    cr_expect_eq(enter(3, 1, &c), CROWD_UNTRACKED);
    cr_expect_eq(c, 0);
    cr_expect_eq(enter(1, 1, &c), CROWD_REFUSED, "live counts were kept");
    crowd_leave(&t, &c, CROWD_OPEN, 0);
    crowd_leave(&t, &a, CROWD_OPEN, 0);
    cr_expect_eq(enter(3, 1, &c), CROWD_COUNTED, "there is room again");
}

Test(crowd, t81_the_longest_idle_make_room_and_the_live_do_not)
{
    uint32_t held;

    cr_assert(crowd_attempt(&t, 1, 1, 0));
    cr_expect_eq(enter(2, 1, &held), CROWD_COUNTED);
    for (uint64_t key = 3; key < 1000; key++)
        cr_assert(crowd_attempt(&t, key, 1, 0));
    cr_expect_eq(t.table.count, 2);
    cr_expect(crowd_attempt(&t, 1, 1, 0), "its attempt was forgotten");
    cr_expect_eq(enter(2, 1, &held), CROWD_REFUSED, "its session was not");
}

Test(crowd, attempts_are_counted_by_the_minute)
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
        cr_expect_eq(crowd_attempt(&t, 1, 4, rows[i].now), rows[i].allowed, "row %zu", i);
    cr_expect(crowd_attempt(&t, 1, 0, 400000), "no limit");
}

Test(crowd, a_crowd_that_left_is_forgotten)
{
    struct crowd big;

    cr_assert(crowd_init(&big, 1000));
    for (uint64_t key = 0; key < 1000; key++)
        cr_assert(crowd_attempt(&big, key, 1, 0));
    for (uint64_t key = 0; key < 1000; key++)
        cr_assert(crowd_attempt(&big, 5000 + key % 2, 0, 0) &&
                  crowd_attempt(&big, 5000 + key, 1, 200000));
    cr_expect_leq(big.table.count, 1000);
    cr_expect_geq(big.table.count, 1);
    for (uint64_t key = 0; key < 1000; key++)
        cr_assert(crowd_attempt(&big, key, 1, 200000), "%llu", (unsigned long long)key);
    crowd_fini(&big);
}

Test(crowd, agrees_with_a_model)
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
