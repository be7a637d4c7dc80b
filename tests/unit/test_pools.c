/*
 * Pools in the routing table: what is found wrong with them, and the candidates they give.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/conf_expect.h"
#include "waypost/route/hash.h"
#include "waypost/route/route.h"

TestSuite(pools);

#define BACKENDS                                                                         \
    "{\"backends\": {\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"}," \
    "\"west\": {\"address\": \"w.example:993\", \"tls\": \"implicit\"},"                 \
    "\"north\": {\"address\": \"n.example:993\", \"tls\": \"implicit\"}},\n"

static const char *pools(const char *list)
{
    static char out[2048];
    snprintf(out, sizeof(out), BACKENDS "\"pools\": {%s},\n\"routes\": [{\"deny\": true}]}", list);
    return out;
}

Test(pools, findings)
{
    static const struct conf_text_row rows[] = {
        {"", ""},
        {"\"p\": {\"members\": {\"east\": 100}}", ""},
        {"\"p\": {\"members\": {\"east\": 0, \"west\": 1}, \"choose\": \"first\", "
         "\"failover\": false}",
         ""},
        {"\"p\": {\"members\": {\"esat\": 100}}",
         "routes.json:2 /pools/p/members/esat there is no backend \"esat\"; did you mean "
         "\"east\"?"},
        {"\"p\": {\"members\": {\"east\": 100}}, \"q\": {\"members\": {\"p\": 100}}",
         "/pools/q/members/p there is no backend \"p\""},
        {"\"east\": {\"members\": {\"west\": 100}}",
         "/pools/east there is a backend of this name already"},
        {"\"p\": {\"members\": {}}", "/pools/p/members expected an object, not empty"},
        {"\"p\": {}", "/pools/p \"members\" is missing"},
        {"\"p\": {\"members\": {\"east\": 0, \"west\": 0}}",
         "/pools/p/members at least one member needs a weight above 0"},
        {"\"p\": {\"members\": {\"east\": 1001}}",
         "/pools/p/members/east expected a weight from 0 to 1000, found 1001"},
        {"\"p\": {\"members\": {\"east\": -1}}", "expected a weight from 0 to 1000, found -1"},
        {"\"p\": {\"members\": {\"east\": 0.5}}", "expected a weight from 0 to 1000, found 0.5"},
        {"\"p\": {\"members\": {\"east\": 1}, \"choose\": \"fewest\"}",
         "/pools/p/choose expected one of \"user-hash\", \"least-sessions\", \"round-robin\", "
         "\"first\", found"},
        {"\"p\": {\"members\": {\"east\": 1}, \"choose\": \"user_hash\"}",
         "did you mean \"user-hash\"?"},
        {"\"p\": {\"members\": {\"east\": 1}, \"failover\": 1}",
         "/pools/p/failover expected true or false"},
        {"\"p\": {\"members\": {\"east\": 1}, \"choice\": \"first\"}", "/pools/p/choice unknown"},
        {"\"p\": {\"members\": {\"east\": 1}, \"one_backend_per_user\": true, "
         "\"cluster\": \"store\"}, "
         "\"q\": {\"members\": {\"east\": 1, \"west\": 1}, \"one_backend_per_user\": true, "
         "\"cluster\": \"store\"}, \"r\": {\"members\": {\"east\": 1}}",
         ""},
        {"\"p\": {\"members\": {\"east\": 1}, \"cluster\": \"store\"}",
         "/pools/p/cluster has no meaning without \"one_backend_per_user\""},
        {"\"p\": {\"members\": {\"east\": 1}, \"one_backend_per_user\": true}, "
         "\"q\": {\"members\": {\"east\": 1}, \"one_backend_per_user\": true}",
         "/pools/q backend \"east\" already keeps users for cluster \"p\": pools that share "
         "backends need the same \"cluster\""},
        {"\"p\": 1", "/pools/p expected an object"},
        {"\"\": {\"members\": {\"east\": 1}}", "/pools/ expected a name of 1 to 64 bytes"},
    };
    conf_text_expect(rows, COUNT_OF(rows), pools, true);
}

Test(pools, a_mistaken_target_may_have_meant_a_pool)
{
    const char *found = conf_text_findings(conf_text_waypost, BACKENDS
                                           "\"pools\": {\"main\": {\"members\": {\"east\": 1}}},\n"
                                           "\"routes\": [{\"to\": \"mian\"}]}");
    cr_expect(strstr(found, "/routes/0/to there is no backend or pool \"mian\"; did you mean "
                            "\"main\"?"),
              "%s", found);
}

static const char table[] =
    BACKENDS "\"pools\": {"
             "\"sticky\": {\"members\": {\"east\": 100, \"west\": 100, \"north\": 0}},"
             "\"single\": {\"members\": {\"east\": 100, \"west\": 100}, \"failover\": false},"
             "\"ordered\": {\"members\": {\"north\": 1, \"east\": 1}, \"choose\": \"first\"},"
             "\"turns\": {\"members\": {\"east\": 1, \"west\": 1}, \"choose\": \"round-robin\"}},"
             "\"routes\": [{\"users\": {\"w\": \"west\", \"o\": \"ordered\"}}, {\"users_file\": "
             "\"users.tsv\"}, {\"domains\": {\"turns.org\": \"turns\"}}, {\"to\": \"sticky\"}]}";

static struct conf *conf;

static void load(void)
{
    struct conf_errors errors = {0};
    cr_assert(conf_text_load(conf_text_waypost, table, "s1\tsingle\ns2\tsingle\ns3\tsingle\n",
                             &conf, &errors),
              "%s", errors.count == 0 ? "" : errors.list[0].text);
}

static void release(void)
{
    conf_release(&conf);
}

/* "pool: candidate candidate", or "-" in place of the pool. */
static const char *candidates(const char *user, uint64_t turn)
{
    static char storage[256];
    struct str out = STR_ON(storage);
    struct route_query query = {.user = slice_str(user), .turn = turn};
    struct route_decision d;

    route_decide(conf->routes, &query, &d, NULL, NULL);
    cr_assert_eq(d.verdict, ROUTE_TO);
    str_addf(&out, "%s:", d.pool == NULL ? "-" : d.pool->name);
    cr_expect_str_eq(d.target, d.pool == NULL ? d.candidates[0]->name : d.pool->name);
    for (size_t i = 0; i < d.candidate_count; i++)
        str_addf(&out, " %s", d.candidates[i]->name);
    return storage;
}

Test(pools, every_kind_of_rule_may_name_one, .init = load, .fini = release)
{
    cr_expect_str_eq(candidates("w", 0), "-: west");
    cr_expect_str_eq(candidates("o", 0), "ordered: north east");
    cr_expect_str_eq(candidates("o", 7), "ordered: north east");
    cr_expect_str_eq(candidates("a@turns.org", 0), "turns: east west");
    cr_expect_str_eq(candidates("a@turns.org", 1), "turns: west east");
    cr_expect_str_eq(candidates("a@turns.org", 2), "turns: east west");
}

Test(pools, the_reserve_stands_behind_every_user, .init = load, .fini = release)
{
    size_t east = 0;
    char user[16];

    for (unsigned i = 0; i < 200; i++) {
        snprintf(user, sizeof(user), "u%u", i);
        const char *found = candidates(user, i);
        bool first = strcmp(found, "sticky: east west north") == 0;
        cr_assert(first || strcmp(found, "sticky: west east north") == 0, "%s", found);
        east += first ? 1 : 0;
    }
    cr_expect(east > 60 && east < 140, "%zu", east);
}

Test(pools, without_failover_there_is_one_candidate, .init = load, .fini = release)
{
    for (unsigned i = 1; i <= 3; i++) {
        char user[] = {'s', (char)('0' + i), '\0'};
        struct hash_place order[LIMIT_CANDIDATES];
        char wanted[64];
        cr_assert_eq(hash_order(&conf->routes->pools[1], slice_str(user), 0, NULL, order), 2);
        snprintf(wanted, sizeof(wanted), "single: %s", order[0].member->name);
        cr_expect_str_eq(candidates(user, 0), wanted);
    }
}

/* The name as it is after normalization is what is hashed. */
Test(pools, t40_spelling_does_not_move_a_user, .init = load, .fini = release)
{
    char lower[32], upper[32], found[64];

    for (unsigned i = 0; i < 50; i++) {
        snprintf(lower, sizeof(lower), "user%u@example.net", i);
        snprintf(upper, sizeof(upper), "USER%u@Example.NET", i);
        snprintf(found, sizeof(found), "%s", candidates(lower, 0));
        cr_expect_str_eq(candidates(upper, 0), found);
    }
}

Test(pools, routes_to_a_cluster_say_so)
{
    static const char routes[] =
        BACKENDS "\"pools\": {\"kept\": {\"members\": {\"east\": 1, \"west\": 1},"
                 "  \"one_backend_per_user\": true},"
                 " \"free\": {\"members\": {\"east\": 1, \"north\": 1}}},\n"
                 "\"routes\": [{\"users\": {\"a\": \"kept\", \"b\": \"free\", \"c\": "
                 "\"west\", \"d\": \"north\"}}]}";
    static const struct {
        const char *user, *cluster; /* NULL: none */
    } rows[] = {{"a", "kept"}, {"b", NULL}, {"c", "kept"}, {"d", NULL}};
    struct conf_errors errors = {0};

    cr_assert(conf_text_load(conf_text_waypost, routes, NULL, &conf, &errors));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct route_query query = {.user = slice_str(rows[i].user)};
        struct route_decision decision;
        route_decide(conf->routes, &query, &decision, NULL, NULL);
        cr_assert_eq(decision.verdict, ROUTE_TO, "%s", rows[i].user);
        if (rows[i].cluster == NULL)
            cr_expect_null(decision.cluster, "%s", rows[i].user);
        else
            cr_expect_str_eq(decision.cluster, rows[i].cluster);
    }
    conf_release(&conf);
}
