/*
 * The keys of a rule, and what has to hold between rules. Tables only; the kinds read.
 */
#include "conf/key.h"

#define LOGIN_AS_HELP                                                                          \
    "name for logging in at the backend; {user}, {local} and {domain} stand for parts of the " \
    "normalized name"

/* The long form of a destination; the first key alone is the short form. */
static const struct key destination_keys[] = {
    {"to", &kind_target, FIELD(struct conf_domain, target), .required = true,
     .help = "name of a backend or pool"},
    {"login_as", &kind_login_as, FIELD(struct conf_domain, login_as), .max = 1024,
     .help = LOGIN_AS_HELP},
};
static const struct shape destination_shape = {SHAPE_KEYS(destination_keys)};
static const struct key destination_element = {.kind = &kind_destination,
                                               .size = sizeof(struct conf_domain),
                                               .max = LIMIT_HOST + 2,
                                               .shape = &destination_shape};
static_assert(offsetof(struct conf_domain, name) == 0, "kind_map puts the name first");

static const struct key listener_element = {.kind = &kind_listener_name, .size = sizeof(char *)};
static const struct key sni_element = {.kind = &kind_server_name, .size = sizeof(char *)};
static const struct key client_element = {.kind = &kind_cidr, .size = sizeof(struct cidr)};

static const struct key rule_keys[] = {
    {"users", &kind_users, FIELD(struct conf_rule, users), .element = &destination_element,
     .help = "users by exact name"},
    {"users_file", &kind_users_file, FIELD(struct conf_rule, users),
     .help = "the same from a file: user TAB backend or pool [TAB login_as], one per line"},
    {"domains", &kind_domains, FIELD(struct conf_rule, domains),
     ALSO(struct conf_rule, domain_count), .min = 1, .max = 1000000,
     .element = &destination_element,
     .help = "users by domain; \"*.example.net\" stands for every subdomain"},
    {"to", &kind_target, FIELD(struct conf_rule, target),
     .help = "everybody else goes here, or whom the conditions of this rule select"},
    {"deny", &kind_true,
     .help = "everybody else is refused, or whom the conditions of this rule select"},
    {"user", &kind_pattern, FIELD(struct conf_rule, conditions.user), .max = LIMIT_PATTERN,
     .help = "condition: a PCRE2 pattern for the whole of the normalized name"},
    {"listener", &kind_list, FIELD(struct conf_rule, conditions.listeners),
     ALSO(struct conf_rule, conditions.listener_count), .min = 1, .max = 1000,
     .element = &listener_element,
     .help = "condition: the client came to one of these listeners of waypost.json"},
    {"sni", &kind_list, FIELD(struct conf_rule, conditions.sni),
     ALSO(struct conf_rule, conditions.sni_count), .min = 1, .max = 1000, .element = &sni_element,
     .help = "condition: the client asked for one of these server names; \"*.example.net\" "
             "stands for every subdomain. A client may ask for any name, so this says nothing "
             "about what it is entitled to"},
    {"client", &kind_list, FIELD(struct conf_rule, conditions.clients),
     ALSO(struct conf_rule, conditions.client_count), .min = 1, .max = 10000,
     .element = &client_element, .help = "condition: the client's address is in one of these"},
    {"percent", &kind_number, FIELD(struct conf_rule, conditions.percent), .min = 0, .max = 100,
     .help = "condition: the user is in this share of all users; a larger one only adds users"},
    {"salt", &kind_text, FIELD(struct conf_rule, conditions.salt), .needs = "percent", .max = 64,
     .help = "another value selects other users; without it, the name in \"to\""},
    {"login_as", &kind_rewrite, FIELD(struct conf_rule, login_as), .needs = "to", .max = 1024,
     .help = LOGIN_AS_HELP ", and {1} or {name} for groups of the pattern"},
};

static const char *const selectors[] = {"users", "users_file", "domains", "to", "deny", NULL};
static const enum conf_rule_kind selected[] = {CONF_RULE_USERS, CONF_RULE_USERS, CONF_RULE_DOMAINS,
                                               CONF_RULE_TO, CONF_RULE_DENY};
static_assert(COUNT_OF(selectors) == COUNT_OF(selected) + 1, "a kind for each selector");

static void check_rule(struct reader *r, const struct place *at, const json_t *object, void *base)
{
    struct conf_rule *rule = base;

    rule->line = place_line(r, at);
    rule->conditions.has_percent = json_object_get(object, "percent") != NULL;
    for (size_t i = 0; selectors[i] != NULL; i++) {
        if (json_object_get(object, selectors[i]) != NULL)
            rule->kind = selected[i];
    }
}

static const struct shape rule_shape = {SHAPE_KEYS(rule_keys), .one_of = selectors,
                                        .check = check_rule};
const struct key rule_element = {
    .kind = &kind_object, .size = sizeof(struct conf_rule), .shape = &rule_shape};

/* ----- between rules ------------------------------------------------------------------------ */

static bool takes_everybody(const struct conf_rule *rule)
{
    const struct conf_conditions *c = &rule->conditions;

    return (rule->kind == CONF_RULE_TO || rule->kind == CONF_RULE_DENY) && c->user == NULL &&
           c->listener_count == 0 && c->sni_count == 0 && c->client_count == 0 &&
           (!c->has_percent || c->percent == 100);
}

/* A rule without a condition leaves nothing for those behind it. */
void check_reachable(struct reader *r, const struct place *routes, const struct conf_routes *table)
{
    size_t last = 0;

    while (last < table->rule_count && !takes_everybody(&table->rules[last]))
        last++;
    for (size_t i = last + 1; i < table->rule_count; i++) {
        struct place here = {.up = routes, .index = i};
        fault(r, &here, "this rule is never reached: the one on line %u takes everybody",
              table->rules[last].line);
    }
}
