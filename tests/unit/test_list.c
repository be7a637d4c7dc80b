/*
 * The intrusive ring: order, and that unlinking is safe at any time.
 */
#include "waypost/base/list.h"

#include <criterion/criterion.h>

#include "waypost/base/check.h"

struct item {
    int number;
    struct list link;
};

static struct list head;
static struct item items[3];

static void set_up(void)
{
    list_init(&head);
    for (int i = 0; i < 3; i++) {
        items[i].number = i;
        list_init(&items[i].link);
        list_append(&head, &items[i].link);
    }
}

TestSuite(list, .init = set_up);

/* The members in order as decimal digits, forwards or backwards. */
static int digits(bool forwards)
{
    int all = 0;

    for (struct list *at = forwards ? head.next : head.prev; at != &head;
         at = forwards ? at->next : at->prev)
        all = all * 10 + container_of(at, struct item, link)->number + 1;
    return all;
}

Test(list, keeps_order_both_ways)
{
    cr_expect_not(list_empty(&head));
    cr_expect_eq(digits(true), 123);
    cr_expect_eq(digits(false), 321);
}

Test(list, a_member_may_leave_from_anywhere)
{
    list_unlink(&items[1].link);
    cr_expect_eq(digits(true), 13);
    cr_expect_eq(digits(false), 31);
    list_unlink(&items[0].link);
    list_unlink(&items[2].link);
    cr_expect(list_empty(&head));
    cr_expect_eq(digits(true), 0);
}

Test(list, unlinking_twice_is_harmless)
{
    list_unlink(&items[1].link);
    list_unlink(&items[1].link);
    cr_expect(list_empty(&items[1].link));
    cr_expect_eq(digits(true), 13);
    list_append(&head, &items[1].link);
    cr_expect_eq(digits(true), 132);
}

Test(list, the_first_can_be_taken_until_none_is_left)
{
    int taken = 0;

    while (!list_empty(&head)) {
        taken = taken * 10 + container_of(head.next, struct item, link)->number + 1;
        list_unlink(head.next);
    }
    cr_expect_eq(taken, 123);
}
