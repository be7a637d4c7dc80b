/*
 * Borrowed bytes: comparing, cutting, numbers, UTF-8.
 */
#include "waypost/base/slice.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <locale.h>

#include "waypost/base/check.h"

static const struct slice none = {NULL, 0};

Test(slice, equality_is_by_bytes)
{
    cr_expect(slice_eq(SLICE("abc"), SLICE("abc")));
    cr_expect(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
    cr_expect_not(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
    cr_expect_not(slice_eq(SLICE("abc"), SLICE("abC")));
    cr_expect_not(slice_eq(SLICE("abc"), SLICE("abcd")));
    cr_expect(slice_eq(none, SLICE("")));
    cr_expect_eq(slice_str(NULL).len, 0);
}

Test(slice, case_is_that_of_ascii)
{
    setlocale(LC_ALL, "tr_TR.UTF-8");
    cr_expect(slice_eq_nocase(SLICE("LOGIN"), SLICE("login")));
    cr_expect(slice_eq_nocase(SLICE("a1[Z@`{"), SLICE("A1[z@`{")));
    cr_expect_not(slice_eq_nocase(SLICE("@"), SLICE("`")), "only letters differ by 0x20");
    cr_expect_not(slice_eq_nocase(SLICE("["), SLICE("{")));
    cr_expect_not(slice_eq_nocase(SLICE("\xC4"), SLICE("\xE4")));
    cr_expect(slice_eq_nocase(none, SLICE("")));
}

Test(slice, prefixes)
{
    cr_expect(slice_starts(SLICE("abc"), SLICE("ab")));
    cr_expect(slice_starts(SLICE("abc"), SLICE("abc")));
    cr_expect(slice_starts(SLICE("abc"), none));
    cr_expect_not(slice_starts(SLICE("abc"), SLICE("abcd")));
    cr_expect_not(slice_starts(SLICE("abc"), SLICE("AB")));
    cr_expect(slice_starts_nocase(SLICE("abc"), SLICE("AB")));
    cr_expect_not(slice_starts_nocase(SLICE("a"), SLICE("AB")));
}

Test(slice, take_and_skip_stop_at_the_end)
{
    cr_expect(slice_eq(slice_take(SLICE("abc"), 2), SLICE("ab")));
    cr_expect(slice_eq(slice_take(SLICE("abc"), 9), SLICE("abc")));
    cr_expect(slice_eq(slice_skip(SLICE("abc"), 2), SLICE("c")));
    cr_expect(slice_eq(slice_skip(SLICE("abc"), 9), SLICE("")));
    cr_expect_eq(slice_skip(none, 1).len, 0);
}

Test(slice, find)
{
    cr_expect_eq(slice_find(SLICE("abcb"), 'b'), 1);
    cr_expect_eq(slice_find(SLICE("abc"), 'x'), 3);
    cr_expect_eq(slice_find(SLICE("a\0b"), 'b'), 2);
    cr_expect_eq(slice_find(none, 'x'), 0);
}

Test(slice, cut)
{
    struct slice rest = SLICE("a,,b");

    cr_expect(slice_eq(slice_cut(&rest, ','), SLICE("a")));
    cr_expect(slice_eq(slice_cut(&rest, ','), SLICE("")));
    cr_expect(slice_eq(rest, SLICE("b")));
    cr_expect(slice_eq(slice_cut(&rest, ','), SLICE("b")));
    cr_expect_eq(rest.len, 0);
    cr_expect_eq(slice_cut(&rest, ',').len, 0);
    rest = SLICE("a,");
    cr_expect(slice_eq(slice_cut(&rest, ','), SLICE("a")));
    cr_expect_eq(rest.len, 0);
}

Test(slice, numbers)
{
    const struct {
        struct slice text;
        unsigned long max, value;
        bool good;
    } rows[] = {
        {SLICE("0"), 0, 0, true},
        {SLICE("1"), 0, 0, false},
        {SLICE("9"), 5, 0, false},
        {SLICE("5"), 5, 5, true},
        {SLICE("10"), 9, 0, false},
        {SLICE("007"), 9, 7, true},
        {SLICE("65535"), 65535, 65535, true},
        {SLICE("65536"), 65535, 0, false},
        {SLICE("18446744073709551615"), ULONG_MAX, ULONG_MAX, sizeof(long) == 8},
        {SLICE("18446744073709551616"), ULONG_MAX, 0, false},
        {SLICE("99999999999999999999999"), ULONG_MAX, 0, false},
        {SLICE(""), 9, 0, false},
        {SLICE("-1"), 9, 0, false},
        {SLICE("+1"), 9, 0, false},
        {SLICE(" 1"), 9, 0, false},
        {SLICE("1 "), 9, 0, false},
        {SLICE("0x1"), 9, 0, false},
        {SLICE("1\0"), 9, 0, false},
        {none, 9, 0, false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned long value = 4711;
        cr_expect_eq(slice_number(rows[i].text, rows[i].max, &value), rows[i].good, "row %zu", i);
        cr_expect_eq(value, rows[i].good ? rows[i].value : 4711, "row %zu", i);
    }
}

/* RFC 3629 section 3, straight from its table, for every code point. */
static size_t encode(unsigned long code, char out[4])
{
    static const unsigned char lead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[n] | code);
    return n;
}

Test(slice, every_code_point_but_surrogates_is_utf8)
{
    for (unsigned long code = 0; code < 0x120000; code++) {
        char bytes[4];
        size_t n = encode(code, bytes);
        bool good = (code < 0xD800 || code > 0xDFFF) && code <= 0x10FFFF;
        bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        cr_assert_eq(slice_utf8_len(slice_of(bytes, n)), good ? n : 0, "U+%04lX", code);
        cr_assert_eq(slice_is_control(slice_of(bytes, n)), control, "U+%04lX", code);
        for (size_t cut = 1; cut < n; cut++)
            cr_assert_eq(slice_utf8_len(slice_of(bytes, cut)), 0, "U+%04lX cut", code);
    }
}

Test(slice, ill_formed_utf8)
{
    const struct slice rows[] = {
        SLICE("\x80"),
        SLICE("\xBF"),
        SLICE("\xC0\x80"),
        SLICE("\xC1\xBF"),
        SLICE("\xE0\x80\x80"),
        SLICE("\xE0\x9F\xBF"),
        SLICE("\xF0\x80\x80\x80"),
        SLICE("\xF0\x8F\xBF\xBF"),
        SLICE("\xC3("),
        SLICE("\xE2\x82("),
        SLICE("\xF0\x9F\x98("),
        SLICE("\xC3\xC3"),
        SLICE("\xFE"),
        SLICE("\xFF"),
        SLICE("\xF8\x88\x80\x80\x80"),
        SLICE("\xF5\x80\x80\x80"),
        SLICE("\xF8\x80\x80\x80"),
        SLICE("\xFF\x80\x80\x80"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(slice_utf8_len(rows[i]), 0, "row %zu", i);
    cr_expect_eq(slice_utf8_len(SLICE("\xC3\xA4xyz")), 2);
}
