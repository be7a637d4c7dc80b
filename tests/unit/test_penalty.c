/*
 * Penalties of addresses.
 */
#include "waypost/limit/penalty.h"

#include <criterion/criterion.h>

static struct penalties p;

static void begin(void)
{
    cr_assert(penalties_init(&p, 4));
}

static void end(void)
{
    penalties_fini(&p);
}

TestSuite(penalty, .init = begin, .fini = end);

static unsigned add(uint64_t address, uint64_t fingerprint, uint64_t now)
{
    return penalty_add(&p, address, &fingerprint, now);
}

Test(penalty, doubles_up_to_the_maximum)
{
    static const uint64_t wanted[] = {2000, 4000, 8000, 15000, 15000};

    for (unsigned i = 0; i < COUNT_OF(wanted); i++)
        cr_expect_eq(penalty_delay(2000, 15000, i + 1), wanted[i], "%u", i);
    cr_expect_eq(penalty_delay(2000, 15000, UINT32_MAX), 15000);
    cr_expect_eq(penalty_delay(0, 15000, UINT32_MAX), 0);
    cr_expect_eq(penalty_delay(15000, 15000, 1), 15000);
    cr_expect_eq(penalty_delay(0, 0, 5), 0);
}

Test(penalty, the_same_secret_counts_once)
{
    cr_expect_eq(add(1, 100, 0), 1);
    for (uint64_t now = 1; now < 1000; now++)
        cr_expect_eq(add(1, 100, now), 1);
    cr_expect_eq(add(1, 101, 1000), 2);
    cr_expect_eq(add(1, 100, 1001), 2, "also when another one came between");
    cr_expect_eq(add(2, 100, 1002), 1, "another address");
    cr_expect_eq(penalty_add(&p, 1, NULL, 1003), 3, "without a secret each counts");
    cr_expect_eq(penalty_add(&p, 1, NULL, 1004), 4);
}

Test(penalty, guesses_are_not_hidden_among_repetitions)
{
    unsigned failures = 0;

    for (uint64_t i = 0; i < 3 * PENALTY_FINGERPRINTS; i++) {
        failures = add(1, 1000 + i, i);
        cr_expect_eq(add(1, 1000 + i, i), failures);
    }
    cr_expect_eq(failures, 3 * PENALTY_FINGERPRINTS);
}

Test(penalty, a_success_and_ten_quiet_minutes_clear_it)
{
    cr_expect_eq(add(1, 100, 0), 1);
    cr_expect_eq(add(1, 101, 0), 2);
    penalty_clear(&p, 1);
    cr_expect_eq(p.table.count, 0);
    penalty_clear(&p, 1);
    cr_expect_eq(add(1, 100, 0), 1);
    cr_expect_eq(add(1, 101, PENALTY_MEMORY - 1), 2);
    cr_expect_eq(add(1, 102, 2 * PENALTY_MEMORY - 1), 1);
}

Test(penalty, t81_the_oldest_make_room)
{
    cr_expect_eq(add(1, 100, 0), 1);
    cr_expect_eq(add(2, 100, 1), 1);
    cr_expect_eq(add(1, 101, 2), 2, "1 is the youngest now");
    for (uint64_t address = 10; address < 13; address++)
        cr_expect_eq(add(address, 100, 3), 1);
    cr_expect_eq(p.table.count, 4);
    cr_expect_eq(add(1, 102, 4), 3);
    cr_expect_eq(add(2, 101, 5), 1, "2 was forgotten");
}
