/*
 * The text builder: all or nothing per piece, sticky overflow, always terminated.
 */
#include "waypost/base/str.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(str, pieces_follow_each_other)
{
    char storage[32];
    struct str s = STR_ON(storage);

    cr_expect_str_eq(storage, "");
    str_add(&s, SLICE("a1 "));
    str_addc(&s, 'O');
    str_addf(&s, "K %u %s", 42u, "done");
    str_add(&s, slice_of(NULL, 0));
    cr_expect_not(s.overflow);
    cr_expect_str_eq(storage, "a1 OK 42 done");
    cr_expect(slice_eq(str_slice(&s), SLICE("a1 OK 42 done")));
}

Test(str, bytes_may_be_any)
{
    char storage[8];
    struct str s = STR_ON(storage);

    str_add(&s, SLICE("a\0b"));
    str_addc(&s, '\0');
    cr_expect(slice_eq(str_slice(&s), SLICE("a\0b\0")));
}

Test(str, a_piece_that_does_not_fit_is_left_out_whole_and_so_is_all_after_it)
{
    for (int kind = 0; kind < 3; kind++) {
        char storage[6];
        struct str s = STR_ON(storage);
        str_add(&s, SLICE("abc"));
        if (kind == 0)
            str_add(&s, SLICE("def"));
        else if (kind == 1)
            str_addf(&s, "%s", "def");
        else
            for (int i = 0; i < 3; i++)
                str_addc(&s, 'x');
        cr_expect(s.overflow, "kind %d", kind);
        cr_expect_str_eq(storage, kind == 2 ? "abcxx" : "abc");
        str_addc(&s, '!');
        str_addf(&s, "!");
        str_add(&s, SLICE("!"));
        cr_expect_str_eq(storage, kind == 2 ? "abcxx" : "abc", "kind %d", kind);
    }
}

Test(str, the_last_byte_is_for_the_terminator)
{
    char storage[4] = "???";
    struct str s = STR_ON(storage);

    str_add(&s, SLICE("abc"));
    cr_expect_not(s.overflow);
    cr_expect_str_eq(storage, "abc");
    str_add(&s, SLICE(""));
    str_addf(&s, "%s", "");
    cr_expect_not(s.overflow, "nothing always fits");
}

Test(str, there_must_be_room_for_the_terminator, .signal = SIGABRT)
{
    char storage[1];

    (void)str_on(storage, 0);
}

Test(str, without_storage_nothing_is_taken)
{
    struct str s = STR_NONE;

    str_add(&s, SLICE("abc"));
    str_addc(&s, 'd');
    str_addf(&s, "%s", "ef");
    cr_expect_eq(s.len, 0);
    cr_expect(s.overflow);
}
