/*
 * Normal form of user names, and templates of login names.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "waypost/conf/username.h"

TestSuite(username);

static char storage[LIMIT_USER + 1];

static const char *normal(bool lowercase, const char *domain, struct slice name)
{
    static char copy[LIMIT_HOST + 1];
    struct conf_normalize normalize = {.lowercase = lowercase};
    struct str out = STR_ON(storage);

    if (domain != NULL) {
        snprintf(copy, sizeof(copy), "%s", domain);
        normalize.default_domain = copy;
    }
    return username_normalize(&normalize, name, &out) ? storage : "refused";
}

Test(username, t40_names_are_compared_in_normal_form)
{
    cr_expect_str_eq(normal(true, NULL, SLICE("Alice@Example.NET")), "alice@example.net");
    cr_expect_str_eq(normal(false, NULL, SLICE("Alice@Example.NET")), "Alice@Example.NET");
    cr_expect_str_eq(normal(true, "example.net", SLICE("ALICE")), "alice@example.net");
    cr_expect_str_eq(normal(true, "example.net", SLICE("a@b")), "a@b");
    cr_expect_str_eq(normal(true, NULL, SLICE("J\xC3\x96RG")), "j\xC3\x96rg");
}

Test(username, what_cannot_be_a_name_is_refused)
{
    char name[LIMIT_USER + 1];

    memset(name, 'a', sizeof(name));
    cr_expect_str_eq(normal(true, NULL, SLICE("")), "refused");
    cr_expect_str_eq(normal(true, NULL, SLICE("@example.net")), "refused");
    cr_expect_str_eq(normal(true, "example.net", SLICE("alice@")), "refused");
    cr_expect_str_eq(normal(true, NULL, SLICE("a\0b")), "refused");
    cr_expect_str_eq(normal(true, NULL, SLICE("a\r\nb")), "refused");
    cr_expect_str_eq(normal(true, NULL, SLICE("a\x7F")), "refused");
    cr_expect_str_eq(normal(true, NULL, slice_of(name, LIMIT_USER + 1)), "refused");
    cr_expect_str_eq(normal(true, "b", slice_of(name, LIMIT_USER - 1)), "refused");
    cr_expect_eq(strlen(normal(true, "b", slice_of(name, LIMIT_USER - 2))), LIMIT_USER);
    cr_expect_eq(strlen(normal(true, NULL, slice_of(name, LIMIT_USER))), LIMIT_USER);
}

Test(username, the_domain_is_behind_the_last_at)
{
    cr_expect(slice_eq(username_domain(SLICE("a@b")), SLICE("b")));
    cr_expect(slice_eq(username_domain(SLICE("a@b@c")), SLICE("c")));
    cr_expect_eq(username_domain(SLICE("a")).len, 0);
    cr_expect_eq(username_domain(SLICE("")).len, 0);
}

static const char *expanded(const char *template, const char *user)
{
    struct str out = STR_ON(storage);
    struct username_parts parts = {.user = slice_str(user)};
    return username_expand(slice_str(template), &parts, &out) ? storage : "refused";
}

Test(username, templates)
{
    cr_expect_str_eq(expanded("{user}", "a@b"), "a@b");
    cr_expect_str_eq(expanded("{local}", "a@b"), "a");
    cr_expect_str_eq(expanded("{local}", "a@b@c"), "a@b");
    cr_expect_str_eq(expanded("{local}", "a"), "a");
    cr_expect_str_eq(expanded("{domain}", "a@b"), "b");
    cr_expect_str_eq(expanded("{domain}/{local}@new", "a@b"), "b/a@new");
    cr_expect_str_eq(expanded("shared", "a@b"), "shared");
    cr_expect_str_eq(expanded("{domain}", "a"), "refused");
    cr_expect_str_eq(expanded("{user", "a"), "refused");
    cr_expect_str_eq(expanded("", "a"), "refused");
}

Test(username, an_expansion_never_outgrows_a_name)
{
    char user[LIMIT_USER + 1] = {0};

    memset(user, 'a', LIMIT_USER);
    cr_expect_eq(strlen(expanded("{user}", user)), LIMIT_USER);
    cr_expect_str_eq(expanded("{user}x", user), "refused");
}

Test(username, only_known_placeholders_are_legal)
{
    static const char *const good[] = {"{user}", "x", "{local}+{domain}@x"};
    static const char *const bad[] = {"",      "{",     "}",        "{}",      "{usr}",
                                      "{user", "user}", "{{user}}", "{user}}", "a{b}c"};

    for (size_t i = 0; i < COUNT_OF(good); i++)
        cr_expect(username_template_legal(slice_str(good[i]), NULL), "%s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_expect_not(username_template_legal(slice_str(bad[i]), NULL), "%s", bad[i]);
}
