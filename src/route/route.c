/*
 * Chooses the backend of a user. Owns nothing and keeps nothing; borrows from the routing table.
 * Fails closed: a rule that matched decides, even when it has nothing to offer.
 */
#include "waypost/route/route.h"

#include "route/match.h"
#include "waypost/conf/usermap.h"
#include "waypost/conf/username.h"
#include "waypost/route/hash.h"

const char *const route_verdict_name[] = {
    [ROUTE_TO] = "to",
    [ROUTE_DENIED] = "denied",
    [ROUTE_NO_MATCH] = "no-match",
    [ROUTE_BAD_USER] = "bad-user",
    [ROUTE_UNAVAILABLE] = "unavailable",
};

#define WHY_MAX (4u * LIMIT_LOG_TEXT)

/* What a rule has to say about a user. */
struct match {
    const struct conf_target *target; /* NULL: refuse */
    struct slice login_as;            /* empty: the normalised name */
    struct pattern_match groups;      /* of the rule's pattern */
    struct str why;
};

typedef bool matcher(const struct conf_rule *rule, struct slice user, struct match *m);

static bool match_users(const struct conf_rule *rule, struct slice user, struct match *m)
{
    struct usermap_hit hit;
    const char *source = usermap_source(rule->users);
    bool found = usermap_find(rule->users, user, &hit);

    str_addf(&m->why, "%s among the %zu users ", found ? "is" : "is not",
             usermap_count(rule->users));
    str_addf(&m->why, source == NULL ? "of this rule" : "of %s", source);
    if (!found)
        return false;
    m->target = hit.target;
    m->login_as = hit.login_as;
    return true;
}

static bool match_domains(const struct conf_rule *rule, struct slice user, struct match *m)
{
    char storage[LIMIT_USER + 1];
    struct str domain = STR_ON(storage);
    struct slice name = username_domain(user);

    for (size_t i = 0; i < name.len; i++)
        str_addc(&domain, ascii_lower(name.ptr[i]));
    const struct conf_domain *found = conf_domain_find(rule, str_slice(&domain));
    if (found == NULL) {
        str_addf(&m->why, "none of the %zu domains covers \"", rule->domain_count);
        match_add_foreign(&m->why, str_slice(&domain));
        str_addc(&m->why, '"');
        return false;
    }
    str_addf(&m->why, "domain \"%s%s\" covers it", found->wildcard ? "*." : "", found->name);
    m->target = &found->target;
    m->login_as = slice_str(found->login_as);
    return true;
}

static bool match_to(const struct conf_rule *rule, struct slice user, struct match *m)
{
    UNUSED(user);
    str_add(&m->why, m->why.len == 0 ? SLICE("takes everybody") : SLICE(""));
    m->target = &rule->target;
    m->login_as = slice_str(rule->login_as);
    return true;
}

static bool match_deny(const struct conf_rule *rule, struct slice user, struct match *m)
{
    UNUSED(rule);
    UNUSED(user);
    str_add(&m->why, m->why.len == 0 ? SLICE("refuses everybody") : SLICE("; refuses"));
    return true;
}

static matcher *const matchers[] = {
    [CONF_RULE_USERS] = match_users,
    [CONF_RULE_DOMAINS] = match_domains,
    [CONF_RULE_TO] = match_to,
    [CONF_RULE_DENY] = match_deny,
};

static bool fill_login(const struct match *m, struct slice user, struct route_decision *out)
{
    struct str login = STR_ON(out->login);
    struct username_parts parts = {user, out->rule->conditions.user, &m->groups};
    return username_expand(m->login_as.len == 0 ? SLICE("{user}") : m->login_as, &parts, &login);
}

static void add_candidate(struct route_decision *out, const struct conf_backend *backend)
{
    if (out->candidate_count < LIMIT_CANDIDATES)
        out->candidates[out->candidate_count++] = backend;
}

static void list_candidates(const struct conf_target *target, const struct route_query *query,
                            struct route_decision *out)
{
    struct hash_place order[LIMIT_CANDIDATES];

    out->target = target->name;
    out->pool = target->pool;
    if (target->pool == NULL) {
        out->cluster = target->backend_count == 1 ? target->backends[0]->cluster : NULL;
        for (size_t i = 0; i < target->backend_count; i++)
            add_candidate(out, target->backends[i]);
        return;
    }
    if (target->pool->one_backend_per_user)
        out->cluster = target->pool->cluster;
    size_t count = hash_order(target->pool, slice_str(out->user), query->turn, query->load, order);
    for (size_t i = 0; i < (target->pool->failover ? count : 1); i++)
        add_candidate(out, order[i].member->backend);
}

static enum route_verdict apply(const struct match *m, const struct route_query *query,
                                struct route_decision *out)
{
    if (m->target == NULL)
        return ROUTE_DENIED;
    if (!fill_login(m, slice_str(out->user), out))
        return ROUTE_BAD_USER;
    list_candidates(m->target, query, out);
    return out->candidate_count == 0 ? ROUTE_UNAVAILABLE : ROUTE_TO;
}

static enum match_result match(const struct conf_rule *rule, const struct route_query *query,
                               struct slice user, struct match *m)
{
    enum match_result result = match_conditions(rule, query, user, &m->groups, &m->why);

    if (result != MATCH_YES)
        return result;
    if (m->why.len > 0 && (rule->kind == CONF_RULE_USERS || rule->kind == CONF_RULE_DOMAINS))
        str_add(&m->why, SLICE("; "));
    return matchers[rule->kind](rule, user, m) ? MATCH_YES : MATCH_NO;
}

static enum route_verdict decide(const struct conf_routes *routes, const struct route_query *query,
                                 struct route_decision *out, route_trace *trace, void *ctx)
{
    char storage[WHY_MAX];
    struct slice user = slice_str(out->user);

    for (size_t i = 0; i < routes->rule_count; i++) {
        const struct conf_rule *rule = &routes->rules[i];
        struct match m = {.why = trace != NULL ? STR_ON(storage) : STR_NONE};
        enum match_result result = match(rule, query, user, &m);
        if (trace != NULL)
            trace(ctx, i, result == MATCH_YES, storage);
        if (result == MATCH_NO)
            continue;
        out->rule = rule;
        out->rule_index = i;
        if (result != MATCH_YES)
            return result == MATCH_BAD_USER ? ROUTE_BAD_USER : ROUTE_UNAVAILABLE;
        return apply(&m, query, out);
    }
    return ROUTE_NO_MATCH;
}

void route_decide(const struct conf_routes *routes, const struct route_query *query,
                  struct route_decision *out, route_trace *trace, void *ctx)
{
    *out = (struct route_decision){.verdict = ROUTE_BAD_USER};
    struct str user = STR_ON(out->user);

    if (username_normalize(&routes->normalize, query->user, &user))
        out->verdict = decide(routes, query, out, trace, ctx);
}
