/*
 * One member out of a stranger's JSON: depth, repeated keys, and what is no JSON.
 */
#include "waypost/conf/claim.h"

#include <criterion/criterion.h>

#include "waypost/base/str.h"

TestSuite(claim);

/* {"a": [[...]], "sub": "x"}, nested `depth` levels in all. */
static struct slice nested(size_t depth)
{
    static char storage[20000];
    struct str out = STR_ON(storage);

    str_add(&out, SLICE("{\"a\": "));
    for (size_t i = 1; i < depth; i++)
        str_addc(&out, '[');
    for (size_t i = 1; i < depth; i++)
        str_addc(&out, ']');
    str_add(&out, depth > 1 ? SLICE("") : SLICE("1"));
    str_add(&out, SLICE(", \"sub\": \"x\"}"));
    cr_assert_not(out.overflow);
    return str_slice(&out);
}

Test(claim, nesting_is_bounded)
{
    const struct {
        size_t depth;
        bool good;
    } rows[] = {{1, true}, {2, true}, {16, true}, {17, false}, {2048, false}, {9000, false}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret out = SECRET_EMPTY;
        cr_expect_eq(claim_read(nested(rows[i].depth), "sub", &out), rows[i].good, "%zu",
                     rows[i].depth);
        secret_clear(&out);
    }
}

Test(claim, brackets_in_strings_do_not_nest)
{
    const struct slice rows[] = {
        SLICE("{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[\", \"sub\": \"x\"}"),
        SLICE("{\"a\": \"\\\"[[[[[[[[[[[[[[[[[[[[[[\", \"sub\": \"x\"}"),
        SLICE("{\"a\": \"\\\\\", \"b\": \"[[[[[[[[[[[[[[[[[[[[[[\", \"sub\": \"x\"}"),
        SLICE("{\"a\": [[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]], \"sub\": \"x\"}"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret out = SECRET_EMPTY;
        cr_expect(claim_read(rows[i], "sub", &out), "row %zu", i);
        cr_expect(slice_eq(secret_reveal(&out), SLICE("x")));
        secret_clear(&out);
    }
}

Test(claim, t90_what_readers_could_take_differently_is_refused)
{
    const struct slice rows[] = {
        SLICE("{\"sub\": \"x\", \"sub\": \"y\"}"),
        SLICE("{\"sub\": \"x\", \"s\\u0075b\": \"y\"}"),
        SLICE("{\"sub\": \"x\", \"a\": {\"b\": 1, \"b\": 2}}"),
        SLICE("\xEF\xBB\xBF{\"sub\": \"x\"}"),
        SLICE("{\"sub\": \"x\"}{}"),
        SLICE("{\"sub\": \"x\"}\0"),
        SLICE("{\"sub\": \"\xFF\"}"),
        SLICE("{\"sub\": \"\\ud800\"}"),
        SLICE("{'sub': 'x'}"),
        SLICE("]]]]{\"sub\": \"x\"}"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret out = SECRET_EMPTY;
        cr_assert(secret_set(&out, SLICE("from before")));
        cr_expect_not(claim_read(rows[i], "sub", &out), "row %zu", i);
        cr_expect_null(out.data);
    }
}
