/*
 * Where everything in a JSON text is, and which keys stand there twice.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "conf/pointer.h"
#include "conf/positions.h"

TestSuite(positions);

struct seen {
    char text[256];
    struct str duplicates;
};

static void on_duplicate(void *ctx, struct slice pointer, unsigned line, unsigned first)
{
    struct seen *seen = ctx;
    str_addf(&seen->duplicates, "%.*s:%u<%u ", SLICE_ARG(pointer), line, first);
}

static const char *duplicates_of(struct seen *seen, const char *json)
{
    struct positions p;

    seen->duplicates = STR_ON(seen->text);
    positions_init(&p, slice_str(json), on_duplicate, seen);
    positions_fini(&p);
    return seen->text;
}

Test(positions, every_member_and_element_has_its_line)
{
    static const char json[] = "\n{ \"a\": 1,\n  \"b\": [ true,\n\n   { \"c\" :\n null }, [],\n"
                               "  \"}]\\\"\" ],\n \"d\": {},\n\"e\": -1.5e+3 }\n";
    static const struct {
        const char *pointer;
        unsigned line;
    } rows[] = {{"", 2},       {"/a", 2},   {"/b", 3},   {"/b/0", 3}, {"/b/1", 5},
                {"/b/1/c", 5}, {"/b/2", 6}, {"/b/3", 7}, {"/d", 8},   {"/e", 9}};
    struct seen seen;
    struct positions p;

    seen.duplicates = STR_ON(seen.text);
    positions_init(&p, slice_str(json), on_duplicate, &seen);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(positions_line(&p, slice_str(rows[i].pointer)), rows[i].line, "%s",
                     rows[i].pointer);
    cr_expect_eq(p.lines.count, COUNT_OF(rows));
    cr_expect_str_empty(seen.text);
    positions_fini(&p);
}

Test(positions, what_is_missing_has_the_line_of_what_encloses_it)
{
    struct positions p;

    positions_init(&p, slice_str("{\n\"a\": {\n\"b\": 1}}"), on_duplicate, NULL);
    cr_expect_eq(positions_line(&p, SLICE("/a/x/y")), 2);
    cr_expect_eq(positions_line(&p, SLICE("/x")), 1);
    cr_expect_eq(positions_line(&p, SLICE("nonsense")), 1);
    positions_fini(&p);
}

Test(positions, t90_every_duplicate_key_is_found_with_both_lines)
{
    struct seen seen;

    cr_expect_str_eq(duplicates_of(&seen, "{\"a\":1,\n\"b\":2,\n\"a\":3,\n\"a\":4}"),
                     "/a:3<1 /a:4<1 ");
    cr_expect_str_eq(duplicates_of(&seen, "[{\"k\":1},{\"k\":2}]"), "");
    cr_expect_str_eq(duplicates_of(&seen, "{\"a\":{\"b\":1,\"b\":2}}"), "/a/b:1<1 ");
}

Test(positions, keys_are_compared_after_their_escapes_are_undone)
{
    static const struct {
        const char *json, *pointer;
    } rows[] = {
        {"{\"ab\":1,\"\\u0061b\":2}", "/ab"},
        {"{\"\\u00e4\":1,\"\xC3\xA4\":2}", "/\xC3\xA4"},
        {"{\"\\u20AC\":1,\"\xE2\x82\xAC\":2}", "/\xE2\x82\xAC"},
        {"{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}", "/\xF0\x9F\x98\x80"},
        {"{\"a/b\":1,\"a\\/b\":2}", "/a~1b"},
        {"{\"a~\":1,\"a\\u007e\":2}", "/a~0"},
        {"{\"\\n\\\"\\\\\":1,\"\\u000a\\u0022\\u005c\":2}", "/\n\"\\"},
    };
    struct seen seen;
    char expected[64];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(expected, sizeof(expected), "%s:1<1 ", rows[i].pointer);
        cr_expect_str_eq(duplicates_of(&seen, rows[i].json), expected, "%s", rows[i].json);
    }
}

Test(positions, scalars_are_documents_too)
{
    static const char *const rows[] = {"1", "\"a\"", "null", "[]", "{}", " \n [ ] "};
    struct positions p;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        positions_init(&p, slice_str(rows[i]), on_duplicate, NULL);
        cr_expect_eq(p.lines.count, 1, "%s", rows[i]);
        positions_fini(&p);
    }
}

Test(positions, pointers_are_taken_apart_from_the_end)
{
    struct slice pointer = SLICE("/a/b~1c");

    cr_assert(pointer_up(&pointer));
    cr_expect(slice_eq(pointer, SLICE("/a")));
    cr_assert(pointer_up(&pointer));
    cr_expect_eq(pointer.len, 0);
    cr_expect_not(pointer_up(&pointer));
}
