/*
 * Routing decisions: first match wins, what does not match is refused, and what cannot be answered
 * never falls through to a later rule.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/conf_text.h"
#include "waypost/route/route.h"

TestSuite(route);

#define BACKENDS                                                             \
    "{\"normalize\": {\"default_domain\": \"example.net\"}, \"backends\": {" \
    "\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"},"     \
    "\"west\": {\"address\": \"w.example:993\", \"tls\": \"implicit\"},"     \
    "\"north\": {\"address\": \"n.example:993\", \"tls\": \"implicit\"}}, \"routes\": ["

static struct conf *conf;

static const struct conf_routes *table(const char *rules)
{
    static char text[4096];
    struct conf_errors errors = {0};

    conf_release(&conf);
    snprintf(text, sizeof(text), BACKENDS "%s]}", rules);
    cr_assert(conf_text_load(conf_text_waypost, text, "carol\tnorth\ndave\twest\t{local}\n", &conf,
                             &errors),
              "%s", errors.count == 0 ? "" : errors.list[0].text);
    return conf->routes;
}

static void release(void)
{
    conf_release(&conf);
}

static struct route_decision decide(const struct conf_routes *routes, const char *user)
{
    struct route_decision out;
    struct route_query query = {.user = slice_str(user)};

    route_decide(routes, &query, &out, NULL, NULL);
    return out;
}

/* "verdict target login" */
static const char *summary(const struct conf_routes *routes, const char *user)
{
    static char out[2 * LIMIT_USER];
    struct route_decision d = decide(routes, user);

    cr_expect_eq(d.verdict == ROUTE_TO, d.candidate_count > 0);
    snprintf(out, sizeof(out), "%s %s %s", route_verdict_name[d.verdict],
             d.target == NULL ? "-" : d.target, d.login);
    return out;
}

static const char rules[] =
    "{\"users\": {\"alice\": \"west\", \"bob@x.org\": {\"to\": \"north\", \"login_as\": "
    "\"{local}@new.org\"}}},"
    "{\"users_file\": \"users.tsv\"},"
    "{\"domains\": {\"special.b.org\": \"north\", \"*.b.org\": {\"to\": \"west\", \"login_as\": "
    "\"{domain}/{local}\"}, \"deep.a.b.org\": \"east\", \"C.org\": \"west\"}},"
    "{\"to\": \"east\"}";

Test(route, t40_the_first_rule_that_matches_the_normal_form_wins, .fini = release)
{
    static const struct {
        const char *user, *summary;
    } rows[] = {
        {"alice", "to west alice@example.net"},
        {"ALICE@Example.NET", "to west alice@example.net"},
        {"alice@other.net", "to east alice@other.net"},
        {"bob@X.org", "to north bob@new.org"},
        {"bob", "to east bob@example.net"},
        {"carol", "to north carol@example.net"},
        {"dave", "to west dave"},
        {"x@special.b.org", "to north x@special.b.org"},
        {"x@a.b.org", "to west a.b.org/x"},
        {"x@deep.a.b.org", "to west deep.a.b.org/x"}, /* file order: the wildcard comes first */
        {"x@b.org", "to east x@b.org"},               /* only proper subdomains */
        {"x@evil-b.org", "to east x@evil-b.org"},
        {"x@c.org", "to west x@c.org"},
        {"x@sub.c.org", "to east x@sub.c.org"},
        {"a@c.org@z.org", "to east a@c.org@z.org"}, /* the last "@" counts */
    };
    const struct conf_routes *routes = table(rules);

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_str_eq(summary(routes, rows[i].user), rows[i].summary, "%s", rows[i].user);
}

Test(route, without_a_match_nobody_gets_in, .fini = release)
{
    const struct conf_routes *routes = table("{\"users\": {\"alice\": \"west\"}}");

    cr_expect_str_eq(summary(routes, "alice"), "to west alice@example.net");
    cr_expect_str_eq(summary(routes, "bob"), "no-match - ");
    routes = table("{\"domains\": {\"a.org\": \"west\"}}, {\"deny\": true}");
    cr_expect_str_eq(summary(routes, "x@a.org"), "to west x@a.org");
    cr_expect_str_eq(summary(routes, "x@b.org"), "denied - ");
}

Test(route, names_that_cannot_be_user_names_are_refused_before_any_rule, .fini = release)
{
    const struct conf_routes *routes = table("{\"to\": \"east\"}");
    char name[LIMIT_USER + 2] = {0};

    cr_expect_str_eq(summary(routes, ""), "bad-user - ");
    cr_expect_str_eq(summary(routes, "@example.net"), "bad-user - ");
    cr_expect_str_eq(summary(routes, "a\tb"), "bad-user - ");
    memset(name, 'a', LIMIT_USER + 1);
    cr_expect_eq(decide(routes, name).verdict, ROUTE_BAD_USER);
    name[LIMIT_USER] = '\0'; /* fits, but not with the default domain */
    cr_expect_eq(decide(routes, name).verdict, ROUTE_BAD_USER);
}

Test(route, a_login_name_that_cannot_be_made_is_refused, .fini = release)
{
    const struct conf_routes *routes = table("{\"to\": \"east\", \"login_as\": \"{user}+{user}\"}");
    char name[LIMIT_USER + 1] = {0};

    memset(name, 'a', LIMIT_USER - 20);
    struct route_decision d = decide(routes, name);
    cr_expect_eq(d.verdict, ROUTE_BAD_USER);
    cr_expect_eq(d.candidate_count, 0);
    cr_expect_str_eq(summary(routes, "a@b"), "to east a@b+a@b");
}

/* A rule that matched but has nobody to offer decides all the same. */
Test(route, t88_an_outage_is_never_the_default_route)
{
    struct conf_backend backend = {.name = "spare"};
    const struct conf_backend *members[] = {&backend};
    struct conf_rule list[] = {
        {.kind = CONF_RULE_TO, .target = {.backends = members, .backend_count = 0, .name = "pool"}},
        {.kind = CONF_RULE_TO,
         .target = {.backends = members, .backend_count = 1, .name = "spare"}},
    };
    struct conf_routes routes = {.rules = list, .rule_count = 2};
    struct route_decision d = decide(&routes, "alice");

    cr_expect_eq(d.verdict, ROUTE_UNAVAILABLE);
    cr_expect_eq(d.rule_index, 0);
    cr_expect_eq(d.candidate_count, 0);
    cr_expect_eq(decide(&(struct conf_routes){.rules = list + 1, .rule_count = 1}, "alice").verdict,
                 ROUTE_TO);
}

Test(route, candidates_keep_their_order_and_are_bounded)
{
    struct conf_backend backends[LIMIT_CANDIDATES + 4];
    const struct conf_backend *members[COUNT_OF(backends)];
    struct conf_rule rule = {
        .kind = CONF_RULE_TO,
        .target = {.backends = members, .backend_count = COUNT_OF(members), .name = "pool"}};
    struct conf_routes routes = {.rules = &rule, .rule_count = 1};

    for (size_t i = 0; i < COUNT_OF(members); i++)
        members[i] = &backends[i];
    struct route_decision d = decide(&routes, "alice");
    cr_assert_eq(d.candidate_count, LIMIT_CANDIDATES);
    for (size_t i = 0; i < d.candidate_count; i++)
        cr_expect_eq(d.candidates[i], members[i]);
}

struct heard {
    char text[1024];
    struct str out;
};

static void listen(void *ctx, size_t rule_index, bool matched, const char *why)
{
    struct heard *heard = ctx;
    str_addf(&heard->out, "%zu%c %s\n", rule_index, matched ? '+' : '-', why);
}

Test(route, every_rule_that_was_tried_says_why, .fini = release)
{
    const struct conf_routes *routes = table(rules);
    struct route_query query = {.user = SLICE("x@nowhere.org")};
    struct route_decision d;
    struct heard heard;

    heard.out = STR_ON(heard.text);
    route_decide(routes, &query, &d, listen, &heard);
    cr_expect_str_eq(heard.text, "0- is not among the 2 users of this rule\n"
                                 "1- is not among the 2 users of users.tsv\n"
                                 "2- none of the 4 domains covers \"nowhere.org\"\n"
                                 "3+ takes everybody\n");
    cr_expect_eq(d.rule_index, 3);
    cr_expect_eq(d.rule, &routes->rules[3]);

    query.user = SLICE("x@a.b.org");
    heard.out = STR_ON(heard.text);
    route_decide(routes, &query, &d, listen, &heard);
    cr_expect(strstr(heard.text, "2+ domain \"*.b.org\" covers it\n") != NULL, "%s", heard.text);

    query.user = SLICE("x@\x1B[31m");
    heard.out = STR_ON(heard.text);
    route_decide(routes, &query, &d, listen, &heard);
    cr_expect_str_empty(heard.text);
    cr_expect_eq(d.verdict, ROUTE_BAD_USER);
}
