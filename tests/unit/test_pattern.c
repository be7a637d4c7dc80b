/*
 * Patterns: always the whole text, always UTF-8, and limits that give a third answer.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "waypost/conf/pattern.h"
#include "waypost/conf/username.h"

TestSuite(pattern);

static char storage[1024];

static struct conf_pattern *made(const char *text)
{
    struct str problem = STR_ON(storage);
    struct conf_pattern *pattern = pattern_new(slice_str(text), &problem);

    cr_assert_str_empty(storage, "%s: %s", text, storage);
    return pattern;
}

static enum pattern_result result(const char *text, struct slice name)
{
    struct conf_pattern *pattern = made(text);
    struct pattern_match match;
    enum pattern_result out = pattern_match(pattern, name, &match);

    pattern_free(&pattern);
    cr_expect_null(pattern);
    return out;
}

Test(pattern, the_whole_name_must_match)
{
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"a", "a", true},
        {"a", "ab", false},
        {"a", "ba", false},
        {"a|ab", "ab", true},
        {"a(*ACCEPT)b", "ab", false}, /* no way around the end */
        {"a(*ACCEPT)b", "a", true},
        {"a$", "a\n", false},
        {".*", "a\nb", true},
        {".", "\xC3\xB6", true}, /* one character, two bytes */
        {"..", "\xC3\xB6", false},
        {"(?i)A", "a", true},
        {"A", "a", false},
        {".*@example\\.(net|org)", "x@example.org", true},
        {".*@example\\.(net|org)", "x@example.orga", false},
        {"", "", true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(result(rows[i].pattern, slice_str(rows[i].name)),
                     rows[i].matches ? PATTERN_MATCHED : PATTERN_DIFFERS, "%s on %s",
                     rows[i].pattern, rows[i].name);
}

Test(pattern, t88_too_many_steps_are_neither_yes_nor_no)
{
    char name[200];

    memset(name, 'a', sizeof(name));
    cr_expect_eq(result("(a+)+(b|d)", slice_of(name, sizeof(name))), PATTERN_GAVE_UP);
    cr_expect_eq(result("(a|aa)+(b|d)", slice_of(name, sizeof(name))), PATTERN_GAVE_UP);
    /* What people write is far from the limit. */
    cr_expect_eq(result("(.+)[.](.+)@(.*)", slice_of(name, sizeof(name))), PATTERN_DIFFERS);
    cr_expect_eq(result("a*a*@.*", slice_of(name, sizeof(name))), PATTERN_DIFFERS);
    cr_expect_eq(result("(a+)+", slice_of(name, sizeof(name))), PATTERN_MATCHED);
    /* A pattern may not raise its own limits. */
    cr_expect_eq(result("(*LIMIT_MATCH=4000000000)(a+)+(b|d)", slice_of(name, sizeof(name))),
                 PATTERN_GAVE_UP);
}

Test(pattern, a_name_that_is_not_utf8_is_not_judged)
{
    cr_expect_eq(result(".*", SLICE("\xFF@x")), PATTERN_NOT_UTF8);
    cr_expect_eq(result(".*", SLICE("x\xC3")), PATTERN_NOT_UTF8);
    cr_expect_eq(result(".*", SLICE("\xED\xA0\x80")), PATTERN_NOT_UTF8);
}

Test(pattern, what_is_no_pattern_is_said_with_its_place)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"a(b", "not a pattern: at offset 3: missing closing parenthesis"},
        {"a[z-a]", "not a pattern: at offset 4: range out of order in character class"},
        {"a\\C", "not a pattern: at offset 3: using \\C is disabled"},
        {"\xFF", "not a pattern: at offset 0: UTF-8 error"},
        {"()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()",
         "more than 31 capturing groups"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str problem = STR_ON(storage);
        struct conf_pattern *pattern = pattern_new(slice_str(rows[i].text), &problem);
        size_t group;
        cr_expect(strstr(storage, rows[i].problem) == storage, "%s: %s", rows[i].text, storage);
        /* No finding about a group follows from this one. */
        cr_expect(pattern_group(pattern, SLICE("any"), &group));
        pattern_free(&pattern);
    }
}

static const char *expanded(const char *text, const char *template, const char *user)
{
    struct conf_pattern *pattern = made(text);
    struct pattern_match match;
    struct username_parts parts = {slice_str(user), pattern, &match};
    struct str out = STR_ON(storage);

    cr_assert_eq(pattern_match(pattern, parts.user, &match), PATTERN_MATCHED);
    cr_expect_eq(username_template_legal(slice_str(template), pattern),
                 strstr(template, "{9}") == NULL && strstr(template, "{no}") == NULL);
    bool done = username_expand(slice_str(template), &parts, &out);
    pattern_free(&pattern);
    return done ? storage : "refused";
}

Test(pattern, groups_fill_templates)
{
    static const char text[] = "(?<first>[a-z]+)[.](?<last>[a-z]+)([+].*)?@(.*)";

    cr_expect_str_eq(expanded(text, "{1}-{2}@{4}", "a.b@x"), "a-b@x");
    cr_expect_str_eq(expanded(text, "{last}{first}/{domain}", "a.b@x"), "ba/x");
    cr_expect_str_eq(expanded(text, "{1}{3}", "a.b+c@x"), "a+c");
    cr_expect_str_eq(expanded(text, "{1}{3}", "a.b@x"), "refused"); /* took no part */
    cr_expect_str_eq(expanded(text, "{9}", "a.b@x"), "refused");
    cr_expect_str_eq(expanded(text, "{no}", "a.b@x"), "refused");
    cr_expect_str_eq(expanded("(?=(a)).*", "{1}", "ab"), "a");
    cr_expect_str_eq(expanded("(.*)", "{1}{1}x", "\xC3\xB6"), "\xC3\xB6\xC3\xB6x");
}

Test(pattern, an_expansion_never_outgrows_a_name)
{
    char user[LIMIT_USER + 1] = {0};

    memset(user, 'a', LIMIT_USER - 1);
    cr_expect_eq(strlen(expanded("(.*)", "{1}b", user)), LIMIT_USER);
    cr_expect_str_eq(expanded("(.*)", "{1}bc", user), "refused");
    cr_expect_str_eq(expanded("(.*)", "{1}{1}", user), "refused");
}
