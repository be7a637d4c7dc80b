/*
 * Tables of users: users files with all their findings, and look-ups.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/conf_text.h"
#include "waypost/base/limits.h"
#include "waypost/conf/usermap.h"

TestSuite(usermap);

static const char routes[] =
    "{\"normalize\": {\"default_domain\": \"Example.net\"},"
    "\"backends\": {\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"},"
    "\"west\": {\"address\": \"w.example:993\", \"tls\": \"implicit\"}},"
    "\"routes\": [\n{\"users_file\": \"users.tsv\"}]}";

static struct conf_errors errors;

/* The findings, "line text" each. */
static const char *findings(const char *users)
{
    static char out[4096];
    struct str text = STR_ON(out);
    struct conf *conf = NULL;
    bool loaded = conf_text_load(conf_text_waypost, routes, users, &conf, &errors);

    cr_expect_eq(loaded, errors.count == 0);
    for (size_t i = 0; i < errors.count; i++) {
        cr_expect_str_eq(errors.list[i].file, "users.tsv");
        str_addf(&text, "%u %s\n", errors.list[i].line, errors.list[i].text);
    }
    conf_errors_clear(&errors);
    conf_release(&conf);
    return out;
}

Test(usermap, users_are_found_by_their_normal_form)
{
    static const char users[] = "# comment\n\nAlice\teast\nbob@x.example\twest\t{local}\r\n"
                                "carol\twest\ttab\tin login";
    struct conf *conf = NULL;
    struct usermap_hit hit;

    cr_assert(conf_text_load(conf_text_waypost, routes, users, &conf, &errors));
    const struct conf_usermap *map = conf->routes->rules[0].users;
    cr_expect_eq(usermap_count(map), 3);
    cr_expect_str_eq(usermap_source(map), "users.tsv");
    cr_assert(usermap_find(map, SLICE("alice@example.net"), &hit));
    cr_expect_str_eq(hit.target->name, "east");
    cr_expect_eq(hit.target->backends[0], &conf->routes->backends[0]);
    cr_expect_eq(hit.login_as.len, 0);
    cr_assert(usermap_find(map, SLICE("bob@x.example"), &hit));
    cr_expect_str_eq(hit.target->name, "west");
    cr_expect(slice_eq(hit.login_as, SLICE("{local}")));
    cr_expect_not(usermap_find(map, SLICE("alice"), &hit));
    cr_expect_not(usermap_find(map, SLICE("Alice@example.net"), &hit));
    conf_release(&conf);
}

Test(usermap, every_bad_line_is_a_finding)
{
    static const struct {
        const char *users, *finding;
    } rows[] = {
        {"", ""},
        {"#a\teast", ""},
        {"a\tesat\n", "1 there is no backend or pool \"esat\"; did you mean \"east\"?\n"},
        {"\na\n", "2 expected user TAB backend or pool [TAB login_as]\n"},
        {"a east\n", "1 expected user TAB backend or pool [TAB login_as]\n"},
        {"\teast\n", "1 expected a user name before the first tab\n"},
        {"a@\teast\n", "1 expected a user name before the first tab, found \"a@\"\n"},
        {"a\x01\teast\n", "1 expected a user name before the first tab, found \"a?\"\n"},
        {"a\teast\nA@EXAMPLE.net\twest\n",
         "2 this user has been listed before, found \"a@example.net\"\n"},
        {"a\teast\t{x}\n",
         "1 expected a login name of text, {user}, {local} and {domain}, found \"{x}\"\n"},
        {"\xEF\xBB\xBF"
         "a\teast\n",
         "1 the file begins with a byte order mark: save it as UTF-8 without BOM\n"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_str_eq(findings(rows[i].users), rows[i].finding, "row %zu", i);
}

Test(usermap, a_very_bad_file_gives_a_bounded_number_of_findings)
{
    char users[(LIMIT_USERS_ERRORS + 3) * 2 + 1];
    struct conf *conf = NULL;

    for (size_t i = 0; i + 1 < sizeof(users); i += 2)
        memcpy(users + i, "x\n", 3);
    cr_expect_not(conf_text_load(conf_text_waypost, routes, users, &conf, &errors));
    cr_assert_eq(errors.count, LIMIT_USERS_ERRORS + 1);
    cr_expect_eq(errors.list[LIMIT_USERS_ERRORS - 1].line, LIMIT_USERS_ERRORS);
    cr_expect_str_eq(errors.list[LIMIT_USERS_ERRORS].text, "3 more lines of this file are wrong");
    conf_errors_clear(&errors);
}

Test(usermap, bad_lines_do_not_crowd_out_findings_about_the_routing_table)
{
    size_t bad = LIMIT_CONF_ERRORS + 5;
    char *users = calloc(bad, 8);
    struct conf *conf = NULL;

    for (size_t i = 0; i < bad; i++)
        memcpy(users + 5 * i, "a\tno\n", 6);
    cr_expect_not(
        conf_text_load(conf_text_waypost,
                       "{\"backends\": {\"b\": {\"address\": \"b.example:993\", \"tls\": "
                       "\"implicit\"}}, \"routes\": [{\"users_file\": \"users.tsv\"}, {}]}",
                       users, &conf, &errors));
    cr_assert_eq(errors.count, 1 + LIMIT_USERS_ERRORS + 1);
    cr_expect_str_eq(errors.list[0].pointer, "/routes/1");
    cr_expect_str_eq(errors.list[LIMIT_USERS_ERRORS].text, "there is no backend or pool \"no\"");
    cr_expect_str_eq(errors.list[LIMIT_USERS_ERRORS + 1].text,
                     "905 more lines of this file are wrong");
    conf_errors_clear(&errors);
    free(users);
}

Test(usermap, a_file_for_many)
{
    enum { MANY = 50000 };
    char *users = malloc(MANY * 40);
    struct conf *conf = NULL;
    struct usermap_hit hit;
    size_t len = 0;

    for (int i = 0; i < MANY; i++)
        len += (size_t)snprintf(users + len, 40, "user%d\t%s\n", i, i % 2 == 0 ? "east" : "west");
    cr_assert(conf_text_load(conf_text_waypost, routes, users, &conf, &errors));
    for (int i = 0; i < MANY; i++) {
        char name[40];
        size_t n = (size_t)snprintf(name, sizeof(name), "user%d@example.net", i);
        cr_assert(usermap_find(conf->routes->rules[0].users, slice_of(name, n), &hit), "%s", name);
        cr_assert_str_eq(hit.target->name, i % 2 == 0 ? "east" : "west");
    }
    conf_release(&conf);
    free(users);
}
