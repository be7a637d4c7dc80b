/*
 * The commands that are counted one by one.
 */
#include "waypost/base/verb.h"

#include <criterion/criterion.h>

#include "waypost/base/check.h"

static char swap_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

Test(verb, every_name_finds_its_row_in_any_case)
{
    for (size_t i = VERB_OTHER + 1; i < VERB_COUNT; i++) {
        struct slice name = verb_name[i];
        char other[32];
        cr_assert(name.len > 0 && name.len < sizeof(other), "row %zu", i);
        for (size_t k = 0; k < name.len; k++)
            other[k] = k % 2 == 0 ? name.ptr[k] : swap_case(name.ptr[k]);
        cr_expect_eq(verb_of(name), i, "%s", name.ptr);
        cr_expect_eq(verb_of(slice_of(other, name.len)), i, "%s", name.ptr);
        /* A part of one is none, unless it is one as well, like UID SORT and SORT. */
        cr_expect_neq(verb_of(slice_take(name, name.len - 1)), i, "%s", name.ptr);
        cr_expect_neq(verb_of(slice_skip(name, 1)), i, "%s", name.ptr);
    }
}

Test(verb, no_word_is_longer_than_what_is_read)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        struct slice rest = verb_name[i], first = slice_cut(&rest, ' ');
        cr_expect(first.len <= VERB_WORD && rest.len <= VERB_WORD, "%s", verb_name[i].ptr);
        cr_expect(rest.len == 0 || slice_eq(first, SLICE("UID")), "%s", verb_name[i].ptr);
    }
}

Test(verb, everything_else_is_other)
{
    static const char *const others[] = {"",           "X",        "UID",       "UID ",
                                         "UID  FETCH", "UID NOOP", "LOGIN",     "FETCHES",
                                         "other",      "OTHER",    "UID\tFETCH"};

    for (size_t i = 0; i < COUNT_OF(others); i++)
        cr_expect_eq(verb_of(slice_str(others[i])), VERB_OTHER, "%s", others[i]);
}
