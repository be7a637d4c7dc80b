/*
 * Conditions of rules: what is found wrong with them, that all must hold, and that what cannot be
 * judged ends the search.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/conf_expect.h"
#include "waypost/route/hash.h"
#include "waypost/route/route.h"

TestSuite(conditions);

static const char *rules(const char *list)
{
    static char out[4096];
    snprintf(out, sizeof(out),
             "{\"backends\": {\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"},\n"
             "\"west\": {\"address\": \"w.example:993\", \"tls\": \"implicit\"}},\n"
             "\"routes\": [\n%s]}",
             list);
    return out;
}

/* conf_text_waypost has one listener; these tests want two. */
static const char waypost[] =
    "{\"listeners\": [{\"name\": \"imaps\", \"address\": \"[::]:993\", \"tls\": \"implicit\"},"
    "{\"name\": \"imap\", \"address\": \"[::]:143\", \"tls\": \"starttls\"}],"
    "\"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}]}}";

Test(conditions, findings)
{
    static const struct conf_text_row rows[] = {
        {"{\"user\": \"a.*\", \"listener\": [\"imaps\"], \"sni\": [\"A.example\", "
         "\"*.b.example\"], \"client\": [\"192.0.2.0/24\", \"::1\"], \"percent\": 5, \"salt\": "
         "\"s\", \"to\": \"east\"}",
         ""},
        {"{\"user\": \"a.*\", \"deny\": true}, {\"percent\": 0, \"users\": {}}, {\"sni\": "
         "[\"a.b\"], \"domains\": {\"a.b\": \"east\"}}",
         ""},
        {"{\"user\": \"a(\", \"to\": \"east\"}",
         "routes.json:4 /routes/0/user not a pattern: at offset 2: missing closing parenthesis"},
        {"{\"user\": \"\", \"to\": \"east\"}", "/routes/0/user expected a pattern of 1 to 4096"},
        {"{\"user\": {\"a\": \"east\"}, \"to\": \"east\"}", "expected a pattern"},
        {"{\"user\": \"a\"}", "/routes/0 expected exactly one of"},
        {"{\"user\": \"(a)\", \"to\": \"east\", \"login_as\": \"{1}{user}\"}", ""},
        {"{\"user\": \"(?<n>a)\", \"to\": \"east\", \"login_as\": \"{n}{1}\"}", ""},
        {"{\"user\": \"(a)\", \"to\": \"east\", \"login_as\": \"{2}\"}",
         "/routes/0/login_as expected a login name of 1 to 1024 bytes, in which"},
        {"{\"user\": \"(?<n>a)\", \"to\": \"east\", \"login_as\": \"{m}\"}", "/routes/0/login_as"},
        {"{\"to\": \"east\", \"login_as\": \"{1}\"}", "/routes/0/login_as"},
        {"{\"users\": {\"a\": {\"to\": \"east\", \"login_as\": \"{1}\"}}, \"user\": \"(a)\"}",
         "/routes/0/users/a/login_as"},
        {"{\"listener\": [\"imasp\"], \"to\": \"east\"}",
         "/routes/0/listener/0 there is no listener \"imasp\" in waypost.json; did you mean "
         "\"imaps\"?"},
        {"{\"listener\": [], \"to\": \"east\"}", "/routes/0/listener expected a list of 1"},
        {"{\"listener\": \"imaps\", \"to\": \"east\"}", "/routes/0/listener expected a list"},
        {"{\"sni\": [\"*\"], \"to\": \"east\"}", "/routes/0/sni/0 expected a host name such as"},
        {"{\"sni\": [\"192.0.2.1\"], \"to\": \"east\"}", "/routes/0/sni/0 expected a host name"},
        {"{\"client\": [\"192.0.2.1/24\"], \"to\": \"east\"}", "/routes/0/client/0 expected an IP"},
        {"{\"percent\": 101, \"to\": \"east\"}",
         "/routes/0/percent expected a whole number from 0 to 100, found 101"},
        {"{\"salt\": \"s\", \"to\": \"east\"}",
         "/routes/0/salt has a meaning only beside \"percent\""},
        {"{\"percent\": 99, \"to\": \"east\"},\n{\"to\": \"west\"}", ""},
        {"{\"percent\": 100, \"to\": \"east\"},\n{\"to\": \"west\"}",
         "/routes/1 this rule is never reached: the one on line 4 takes everybody"},
        {"{\"user\": \".*\", \"to\": \"east\"},\n{\"deny\": true},\n{\"to\": \"west\"}",
         "routes.json:6 /routes/2 this rule is never reached: the one on line 5"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *found = conf_text_findings(waypost, rules(rows[i].given));
        if (rows[i].finding[0] == '\0')
            cr_expect_str_empty(found, "%s: %s", rows[i].given, found);
        cr_expect(strstr(found, rows[i].finding) != NULL, "%s\nwanted %s\nfound %s", rows[i].given,
                  rows[i].finding, found);
    }
}

Test(conditions, a_broken_pattern_is_one_finding)
{
    const char *found = conf_text_findings(
        waypost, rules("{\"user\": \"(a\", \"to\": \"east\", \"login_as\": \"{1}{name}\"}"));
    cr_expect(strstr(found, "not a pattern") != NULL);
    cr_expect_null(strstr(found, "login_as"), "%s", found);
}

/* ----- decisions ---------------------------------------------------------------------------- */

static struct conf *conf;

static void load(const char *list)
{
    struct conf_errors errors = {0};

    conf_release(&conf);
    cr_assert(conf_text_load(waypost, rules(list), "", &conf, &errors), "%s",
              errors.count == 0 ? "" : errors.list[0].text);
}

static void release(void)
{
    conf_release(&conf);
}

struct heard {
    char text[2048];
    struct str out;
};

static void listen(void *ctx, size_t rule_index, bool matched, const char *why)
{
    struct heard *heard = ctx;
    str_addf(&heard->out, "%zu%c %s\n", rule_index, matched ? '+' : '-', why);
}

static struct heard heard;

/* "verdict login@target"; what the rules said is left in `heard`. */
static const char *decided(struct route_query query)
{
    static char out[2 * LIMIT_USER];
    struct route_decision d;

    heard.out = STR_ON(heard.text);
    route_decide(conf->routes, &query, &d, listen, &heard);
    snprintf(out, sizeof(out), "%s %s > %s", route_verdict_name[d.verdict], d.login,
             d.target == NULL ? "-" : d.target);
    return out;
}

static const char *decided_for(const char *user)
{
    return decided((struct route_query){.user = slice_str(user)});
}

Test(conditions, all_must_hold, .fini = release)
{
    struct addr inside, outside, six;
    struct route_query good = {.user = SLICE("Ann@x"),
                               .listener = SLICE("imaps"),
                               .sni = SLICE("MAIL.example"),
                               .client = &inside};
    struct route_query other;

    cr_assert(addr_parse(SLICE("192.0.2.7"), &inside) && addr_parse(SLICE("192.0.3.7"), &outside) &&
              addr_parse(SLICE("2001:db8::1"), &six));
    load("{\"user\": \"a.*\", \"listener\": [\"imap\", \"imaps\"], \"sni\": [\"other.example\", "
         "\"mail.example\"], \"client\": [\"10.0.0.0/8\", \"192.0.2.0/24\"], \"to\": \"west\"},"
         "{\"to\": \"east\"}");
    cr_expect_str_eq(decided(good), "to ann@x > west");
    cr_expect_str_eq(heard.text,
                     "0+ came to listener \"imaps\", which is one of 2; asked for server name "
                     "\"MAIL.example\", covered by \"mail.example\"; 192.0.2.7 is in "
                     "one of 2 networks; the pattern matches\n");
    other = good;
    other.user = SLICE("bob@x");
    cr_expect_str_eq(decided(other), "to bob@x > east");
    cr_expect(strstr(heard.text, "; the pattern does not match\n1+ takes everybody\n") != NULL);
    other = good;
    other.listener = SLICE("");
    cr_expect_str_eq(decided(other), "to ann@x > east");
    cr_expect(strstr(heard.text, "0- the listener is not known\n") == heard.text);
    other = good;
    other.listener = SLICE("im");
    cr_expect_str_eq(decided(other), "to ann@x > east");
    other = good;
    other.sni = SLICE("");
    cr_expect_str_eq(decided(other), "to ann@x > east");
    cr_expect(strstr(heard.text, "asked for no server name\n") != NULL);
    other = good;
    other.sni = SLICE("x.mail.example");
    cr_expect_str_eq(decided(other), "to ann@x > east");
    other = good;
    other.client = &outside;
    cr_expect_str_eq(decided(other), "to ann@x > east");
    cr_expect(strstr(heard.text, "192.0.3.7 is in none of 2 networks\n") != NULL);
    other = good;
    other.client = &six;
    cr_expect_str_eq(decided(other), "to ann@x > east");
    other = good;
    other.client = NULL;
    cr_expect_str_eq(decided(other), "to ann@x > east");
}

Test(conditions, wildcards_of_server_names_are_for_subdomains, .fini = release)
{
    static const struct {
        const char *sni, *target;
    } rows[] = {
        {"a.x.org", "west"}, {"a.b.X.org", "west"},  {"x.org", "east"}, {"ax.org", "east"},
        {".x.org", "east"},  {"x.org.evil", "east"}, {"Y.org", "west"}, {"a.y.org", "east"},
    };
    load("{\"sni\": [\"*.x.org\", \"y.org\"], \"to\": \"west\"}, {\"to\": \"east\"}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char wanted[32];
        snprintf(wanted, sizeof(wanted), "to u > %s", rows[i].target);
        cr_expect_str_eq(
            decided((struct route_query){.user = SLICE("u"), .sni = slice_str(rows[i].sni)}),
            wanted, "%s", rows[i].sni);
    }
}

/* The name a client asks for is its own choice. A rule that lists users decides who may go where;
 * the name only narrows it. */
Test(conditions, t15_a_server_name_gives_nobody_what_his_name_does_not, .fini = release)
{
    load("{\"sni\": [\"vip.example\"], \"users\": {\"ann\": \"west\"}}, {\"users\": {\"ann\": "
         "\"east\", \"bob\": \"east\"}}");
    cr_expect_str_eq(
        decided((struct route_query){.user = SLICE("ann"), .sni = SLICE("vip.example")}),
        "to ann > west");
    cr_expect_str_eq(
        decided((struct route_query){.user = SLICE("bob"), .sni = SLICE("vip.example")}),
        "to bob > east");
    cr_expect_str_eq(decided_for("ann"), "to ann > east");
    cr_expect_str_eq(
        decided((struct route_query){.user = SLICE("eve"), .sni = SLICE("vip.example")}),
        "no-match  > -");
}

Test(conditions, t88_what_a_pattern_cannot_judge_is_no_match_and_no_default, .fini = release)
{
    char name[200] = {0};

    memset(name, 'a', sizeof(name) - 1);
    load("{\"user\": \"(a+)+(b|d)\", \"deny\": true}, {\"to\": \"east\"}");
    cr_expect_str_eq(decided_for(name), "unavailable  > -");
    cr_expect_str_eq(heard.text, "0- the pattern needs too many steps for this name\n");
    cr_expect_str_eq(decided_for("ab"), "denied  > -");
    cr_expect_str_eq(decided_for("b"), "to b > east");
    cr_expect_str_eq(decided_for("\xFF"), "bad-user  > -");
    cr_expect(strstr(heard.text, "the name is not UTF-8") != NULL);
}

Test(conditions, t40_patterns_see_the_normal_form, .fini = release)
{
    load("{\"user\": \"([a-z]+)@(.*)\", \"to\": \"west\", \"login_as\": \"{1}@new.{2}\"}");
    cr_expect_str_eq(decided_for("Ann@X.org"), "to ann@new.x.org > west");
    cr_expect_str_eq(decided_for("a1@x.org"), "no-match  > -");
}

Test(conditions, they_narrow_every_kind_of_rule, .fini = release)
{
    load("{\"user\": \".*[+]test\", \"domains\": {\"x.org\": \"west\"}},"
         "{\"user\": \"evil.*\", \"deny\": true},"
         "{\"user\": \"ann.*\", \"users\": {\"ann\": \"west\", \"bob\": \"west\"}},"
         "{\"to\": \"east\"}");
    cr_expect_str_eq(decided_for("evil1"), "denied  > -");
    cr_expect(strstr(heard.text, "1+ the pattern matches; refuses\n") != NULL);
    cr_expect_str_eq(decided_for("ann"), "to ann > west");
    cr_expect(strstr(heard.text, "2+ the pattern matches; is among the 2 users of this rule\n"));
    cr_expect_str_eq(decided_for("bob"), "to bob > east");
    cr_expect_str_eq(decided_for("annika"), "to annika > east");
}

static bool goes_west(size_t user)
{
    char name[32];

    snprintf(name, sizeof(name), "user%zu", user);
    return strstr(decided_for(name), "> west") != NULL;
}

Test(conditions, a_growing_percentage_only_adds_users, .fini = release)
{
    static const unsigned shares[] = {0, 1, 20, 60, 99, 100};
    bool was[1000] = {false};

    for (size_t s = 0; s < COUNT_OF(shares); s++) {
        char list[128];
        size_t count = 0;
        snprintf(list, sizeof(list), "{\"percent\": %u, \"to\": \"west\"}%s", shares[s],
                 shares[s] == 100 ? "" : ", {\"to\": \"east\"}");
        load(list);
        for (size_t i = 0; i < COUNT_OF(was); i++) {
            bool is = goes_west(i);
            cr_assert(is || !was[i]);
            was[i] = is;
            count += is ? 1 : 0;
        }
        cr_expect(count <= shares[s] * 10 + 40 && count + 40 >= shares[s] * 10, "%u: %zu",
                  shares[s], count);
    }
    load("{\"percent\": 0, \"to\": \"west\"}, {\"to\": \"east\"}");
    cr_expect_str_eq(decided_for("u"), "to u > east");
    cr_expect(strstr(heard.text, " is not below 0\n") != NULL, "%s", heard.text);
}

/* Neither the rule's place nor its other conditions matter; another salt does. */
Test(conditions, who_is_in_a_percentage_depends_on_name_and_salt, .fini = release)
{
    static const char *const lists[] = {
        "{\"percent\": 30, \"to\": \"west\"}, {\"to\": \"east\"}",
        ("{\"users\": {\"x\": \"east\"}}, {\"user\": \".*\", \"percent\": 30, \"to\": \"west\"}, "
         "{\"to\": \"east\"}"),
        "{\"percent\": 30, \"salt\": \"west\", \"to\": \"west\"}, {\"to\": \"east\"}",
        "{\"percent\": 30, \"salt\": \"other\", \"to\": \"west\"}, {\"to\": \"east\"}",
    };
    bool first[300];
    size_t same = 0;

    for (size_t l = 0; l < COUNT_OF(lists); l++) {
        load(lists[l]);
        for (size_t i = 0; i < COUNT_OF(first); i++) {
            bool is = goes_west(i);
            first[i] = l == 0 ? is : first[i];
            cr_assert(l == COUNT_OF(lists) - 1 || is == first[i]);
            same += l == COUNT_OF(lists) - 1 && is == first[i] ? 1 : 0;
        }
    }
    cr_expect(same > 130 && same < 220, "%zu", same);
}
