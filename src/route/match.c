/*
 * Judges the conditions of a rule, cheap ones first. Owns nothing; borrows rule and query. What a
 * pattern cannot decide is no "no": the caller must not go on to the next rule.
 */
#include "route/match.h"

#include "waypost/route/hash.h"

void match_add_foreign(struct str *why, struct slice text)
{
    text = slice_take(text, LIMIT_HOST);
    for (size_t i = 0; i < text.len && !why->overflow; i++)
        str_addc(why, text.ptr[i] > 0x20 && text.ptr[i] < 0x7F ? text.ptr[i] : '?');
}

typedef bool condition(const struct conf_rule *rule, const struct route_query *query,
                       struct slice user, struct str *why);

static bool in_listeners(const struct conf_rule *rule, const struct route_query *query,
                         struct slice user, struct str *why)
{
    const struct conf_conditions *c = &rule->conditions;
    bool found = false;

    UNUSED(user);
    if (query->listener.len == 0) {
        str_add(why, SLICE("the listener is not known"));
        return false;
    }
    for (size_t i = 0; i < c->listener_count && !found; i++)
        found = slice_eq(slice_str(c->listeners[i]), query->listener);
    str_add(why, SLICE("came to listener \""));
    match_add_foreign(why, query->listener);
    str_addf(why, "\", which is %s of %zu", found ? "one" : "none", c->listener_count);
    return found;
}

static bool covers(struct slice pattern, struct slice name)
{
    if (!slice_starts(pattern, SLICE("*.")))
        return slice_eq_nocase(pattern, name);
    pattern = slice_skip(pattern, 1);
    return name.len > pattern.len &&
           slice_eq_nocase(slice_skip(name, name.len - pattern.len), pattern);
}

static bool in_server_names(const struct conf_rule *rule, const struct route_query *query,
                            struct slice user, struct str *why)
{
    const struct conf_conditions *c = &rule->conditions;

    UNUSED(user);
    if (query->sni.len == 0) {
        str_add(why, SLICE("asked for no server name"));
        return false;
    }
    str_add(why, SLICE("asked for server name \""));
    match_add_foreign(why, query->sni);
    str_addc(why, '"');
    for (size_t i = 0; i < c->sni_count; i++) {
        if (!covers(slice_str(c->sni[i]), query->sni))
            continue;
        str_addf(why, ", covered by \"%s\"", c->sni[i]);
        return true;
    }
    str_addf(why, ", covered by none of %zu", c->sni_count);
    return false;
}

static void add_address(struct str *why, const struct addr *addr)
{
    char text[ADDR_TEXT];

    if (!why->overflow)
        str_add(why, slice_str(addr_format(addr, false, text)));
}

static bool in_networks(const struct conf_rule *rule, const struct route_query *query,
                        struct slice user, struct str *why)
{
    const struct conf_conditions *c = &rule->conditions;
    bool found = false;

    UNUSED(user);
    if (query->client == NULL) {
        str_add(why, SLICE("the client's address is not known"));
        return false;
    }
    for (size_t i = 0; i < c->client_count && !found; i++)
        found = cidr_has(&c->clients[i], query->client);
    add_address(why, query->client);
    str_addf(why, " is in %s of %zu networks", found ? "one" : "none", c->client_count);
    return found;
}

static bool in_percentage(const struct conf_rule *rule, const struct route_query *query,
                          struct slice user, struct str *why)
{
    const struct conf_conditions *c = &rule->conditions;
    /* Without a salt of its own the target's name: it stays when rules move. */
    const char *salt = c->salt != NULL ? c->salt : rule->target.name;
    unsigned bucket = hash_percent(slice_str(salt), user);

    UNUSED(query);
    str_addf(why, "percent bucket %u is %sbelow %u", bucket, bucket < c->percent ? "" : "not ",
             c->percent);
    return bucket < c->percent;
}

static enum match_result match_pattern(const struct conf_pattern *pattern, struct slice user,
                                       struct pattern_match *groups, struct str *why)
{
    switch (pattern_match(pattern, user, groups)) {
    case PATTERN_MATCHED:
        str_add(why, SLICE("the pattern matches"));
        return MATCH_YES;
    case PATTERN_DIFFERS:
        str_add(why, SLICE("the pattern does not match"));
        return MATCH_NO;
    case PATTERN_NOT_UTF8:
        str_add(why, SLICE("the name is not UTF-8, which a pattern cannot judge"));
        return MATCH_BAD_USER;
    case PATTERN_GAVE_UP:
        str_add(why, SLICE("the pattern needs too many steps for this name"));
        return MATCH_UNAVAILABLE;
    }
    UNREACHABLE();
}

enum match_result match_conditions(const struct conf_rule *rule, const struct route_query *query,
                                   struct slice user, struct pattern_match *groups, struct str *why)
{
    const struct conf_conditions *c = &rule->conditions;
    const struct {
        bool asked;
        condition *holds;
    } conditions[] = {
        {c->listener_count > 0, in_listeners},
        {c->sni_count > 0, in_server_names},
        {c->client_count > 0, in_networks},
        {c->has_percent, in_percentage},
    };

    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        if (!conditions[i].asked)
            continue;
        str_add(why, why->len == 0 ? SLICE("") : SLICE("; "));
        if (!conditions[i].holds(rule, query, user, why))
            return MATCH_NO;
    }
    if (c->user == NULL)
        return MATCH_YES;
    str_add(why, why->len == 0 ? SLICE("") : SLICE("; "));
    return match_pattern(c->user, user, groups, why);
}
