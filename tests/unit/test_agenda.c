/*
 * Who is next.
 */
#include "waypost/probe/agenda.h"

#include <criterion/criterion.h>

static struct agenda a;

static void end(void)
{
    agenda_fini(&a);
}

TestSuite(agenda, .fini = end);

Test(agenda, nobody_is_due)
{
    size_t index;

    cr_assert(agenda_init(&a, 0));
    cr_expect_eq(agenda_due(&a), AGENDA_NEVER);
    cr_expect_not(agenda_take(&a, UINT64_MAX, &index));
}

Test(agenda, who_is_due_first_is_first)
{
    static const uint64_t dues[] = {50, 10, 40, 10, 99, 0, 30};
    uint64_t last = 0;
    size_t index, taken = 0;

    cr_assert(agenda_init(&a, COUNT_OF(dues)));
    for (size_t i = 0; i < COUNT_OF(dues); i++)
        agenda_add(&a, i, dues[i]);
    for (uint64_t now = 0; now < 100; now++) {
        while (agenda_take(&a, now, &index)) {
            cr_expect_eq(dues[index], now, "not before, not after");
            cr_expect_geq(dues[index], last);
            last = dues[index];
            taken++;
        }
    }
    cr_expect_eq(taken, COUNT_OF(dues));
}

/* Each is taken and added again, as a prober does, by any order of pauses. */
Test(agenda, everybody_has_his_turn)
{
    enum { MANY = 1000, ROUNDS = 50 };
    static unsigned turns[MANY];
    uint64_t state = 1;
    size_t index;

    cr_assert(agenda_init(&a, MANY));
    for (size_t i = 0; i < MANY; i++)
        agenda_add(&a, i, 0);
    for (uint64_t now = 0; now < 60000 * (ROUNDS + 10); now += 1000) {
        while (agenda_take(&a, now, &index)) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            turns[index]++;
            agenda_add(&a, index, now + agenda_pause(60000, false, (uint32_t)(state >> 32)));
        }
    }
    for (size_t i = 0; i < MANY; i++)
        cr_expect(turns[i] >= ROUNDS && turns[i] <= ROUNDS + 20, "%zu: %u", i, turns[i]);
}

static bool is_odd(void *ctx, size_t index)
{
    (*(unsigned *)ctx)++;
    return index % 2 == 1;
}

Test(agenda, the_urgent_come_first)
{
    unsigned asked = 0;
    size_t index;

    cr_assert(agenda_init(&a, 100));
    for (size_t i = 0; i < 100; i++)
        agenda_add(&a, i, 1000 + (i * 37) % 100);
    agenda_hurry(&a, is_odd, &asked, 500);
    cr_expect_eq(asked, 100);
    for (unsigned i = 0; i < 50; i++) {
        cr_assert(agenda_take(&a, 500, &index));
        cr_expect_eq(index % 2, 1);
    }
    cr_expect_not(agenda_take(&a, 500, &index));
    for (uint64_t now = 1000; now < 1100; now++) {
        while (agenda_take(&a, now, &index))
            cr_expect_eq(1000 + (index * 37) % 100, now);
    }
    cr_expect_eq(a.count, 0);
}

Test(agenda, pauses_are_a_tenth_around_what_is_asked_for)
{
    static const struct {
        uint64_t interval;
        bool unsettled;
        uint64_t least, most;
    } rows[] = {
        {60000, false, 54000, 66000}, {60000, true, 1800, 2200}, {1000, false, 900, 1100},
        {1000, true, 900, 1100},      {1, false, 1, 1},          {86400000, true, 1800, 2200},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t least = UINT64_MAX, most = 0;
        for (uint32_t random = 0; random < 100000; random++) {
            uint64_t pause = agenda_pause(rows[i].interval, rows[i].unsettled, random);
            least = pause < least ? pause : least;
            most = pause > most ? pause : most;
        }
        cr_expect_eq(least, rows[i].least, "row %zu: %lu", i, (unsigned long)least);
        cr_expect_eq(most, rows[i].most, "row %zu: %lu", i, (unsigned long)most);
    }
}
