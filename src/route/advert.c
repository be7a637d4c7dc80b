/*
 * Joins what is known of the backends into what can be promised for all of them. Owns nothing but
 * the words it returns. Fails closed: what is not known of one backend is promised for none.
 * RFC 9051 section 6.1.1.
 */
#include "waypost/route/advert.h"

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/conf/usermap.h"
#include "waypost/sasl/sasl.h"

/* Before login literals and compression are between the client and the proxy; what else it cannot
 * carry caps_filter knows. */
static char literal_plus[] = "LITERAL+", literal_minus[] = "LITERAL-", compress[] = "COMPRESS=*";
static char *const own_affair[] = {literal_plus, literal_minus, compress};

/* --- reach ------------------------------------------------------------------------------------ */

static void reach(const struct conf_target *target, bool *reached)
{
    for (size_t i = 0; i < target->backend_count; i++)
        reached[target->backends[i]->index] = true;
}

static void reach_users(const struct conf_routes *routes, const struct conf_rule *rule,
                        bool *reached)
{
    for (size_t i = 0; i < routes->target_count; i++) {
        if (usermap_names(rule->users, &routes->targets[i]))
            reach(&routes->targets[i], reached);
    }
}

/* The other conditions are about a client: some client may fulfil them. */
static bool open_to(const struct conf_conditions *conditions, const char *listener)
{
    bool open = conditions->listener_count == 0 || listener == NULL;

    for (size_t i = 0; i < conditions->listener_count && !open; i++)
        open = strcmp(conditions->listeners[i], listener) == 0;
    return open;
}

void advert_reach(const struct conf_routes *routes, const char *listener, bool *reached)
{
    for (size_t i = 0; i < routes->backend_count; i++)
        reached[i] = false;
    for (size_t i = 0; i < routes->rule_count; i++) {
        const struct conf_rule *rule = &routes->rules[i];
        if (!open_to(&rule->conditions, listener))
            continue;
        switch (rule->kind) {
        case CONF_RULE_USERS:
            reach_users(routes, rule, reached);
            break;
        case CONF_RULE_DOMAINS:
            for (size_t d = 0; d < rule->domain_count; d++)
                reach(&rule->domains[d].target, reached);
            break;
        case CONF_RULE_TO:
            reach(&rule->target, reached);
            break;
        case CONF_RULE_DENY:
            break;
        }
    }
}

/* --- mechanisms ------------------------------------------------------------------------------- */

static bool offers(const struct conf_backend *backend, const struct caps *known,
                   enum conf_mechanism mechanism)
{
    char storage[64];
    struct str word = STR_ON(storage);

    if (backend->mechanisms_declared)
        return backend->mechanisms[mechanism];
    str_addf(&word, "AUTH=%s", sasl_name(mechanism));
    return caps_has(known, str_slice(&word));
}

/* By the LOGIN command, which is no mechanism and so never declared (RFC 9051 section 6.2.3). */
static bool has_login(const struct conf_backend *backend, const struct caps *known)
{
    if (!caps_known(known))
        return backend->mechanisms_declared;
    return !caps_has(known, SLICE("LOGINDISABLED"));
}

static bool takes_password(const struct conf_backend *backend, const struct caps *known)
{
    return (backend->auth_forward != CONF_FORWARD_LOGIN &&
            offers(backend, known, CONF_MECH_PLAIN)) ||
           (backend->auth_forward != CONF_FORWARD_PLAIN && has_login(backend, known));
}

/* A bearer token may be said by another mechanism, and in place of a password. */
static bool takes_bearer(const struct conf_backend *backend, const struct caps *known,
                         enum conf_mechanism mechanism)
{
    switch (backend->auth_forward) {
    case CONF_FORWARD_SAME:
        return offers(backend, known, mechanism);
    case CONF_FORWARD_XOAUTH2:
        return offers(backend, known, CONF_MECH_XOAUTH2);
    case CONF_FORWARD_OAUTHBEARER:
        return offers(backend, known, CONF_MECH_OAUTHBEARER);
    case CONF_FORWARD_PLAIN:
    case CONF_FORWARD_LOGIN:
        break;
    }
    return takes_password(backend, known);
}

bool advert_takes(const struct conf_backend *backend, const struct caps *known,
                  enum conf_mechanism mechanism)
{
    switch (mechanism) {
    case CONF_MECH_PLAIN:
    case CONF_MECH_LOGIN:
        return backend->auth_forward == CONF_FORWARD_SAME ? takes_password(backend, known)
                                                          : takes_bearer(backend, known, mechanism);
    case CONF_MECH_XOAUTH2:
    case CONF_MECH_OAUTHBEARER:
        return takes_bearer(backend, known, mechanism);
    case CONF_MECH_SCRAM_SHA_1:
    case CONF_MECH_SCRAM_SHA_256:
        return offers(backend, known, mechanism);
    case CONF_MECH_EXTERNAL:
        return backend->master_user != NULL;
    case CONF_MECH_COUNT:
        break;
    }
    UNREACHABLE();
}

/* Everybody has a password or something like one: where a backend takes none, its users learn it
 * when they log in. Any other mechanism is the client's choice, so it must work. */
static bool promised(const struct conf_backend *backend, const struct caps *known,
                     enum conf_mechanism mechanism)
{
    return mechanism == CONF_MECH_PLAIN || mechanism == CONF_MECH_LOGIN ||
           advert_takes(backend, known, mechanism);
}

bool advert_binds_channel(const struct conf *conf, const struct caps *known)
{
    const bool *enabled = conf->auth.mechanisms;

    return (enabled[CONF_MECH_SCRAM_SHA_1] || enabled[CONF_MECH_SCRAM_SHA_256]) &&
           (caps_has(known, SLICE("AUTH=SCRAM-SHA-1-PLUS")) ||
            caps_has(known, SLICE("AUTH=SCRAM-SHA-256-PLUS")));
}

/* --- words ------------------------------------------------------------------------------------ */

/* What the proxy can carry of a backend's words. */
static void carry(const struct caps *known, struct caps *words)
{
    char storage[LIMIT_CAPS + 1];
    struct str fit = STR_ON(storage);

    caps_filter(caps_words(known), own_affair, COUNT_OF(own_affair), &fit);
    if (!caps_set(words, str_slice(&fit)))
        caps_clear(words);
}

static bool hidden(const struct conf_backend *backend, struct slice word)
{
    char storage[LIMIT_CAPS + 1];
    struct str left = STR_ON(storage);

    caps_filter(word, backend->hide_capabilities, backend->hide_count, &left);
    return left.len == 0;
}

/* The words that this backend has and does not hide. */
static void join_words(const struct conf_backend *backend, const struct caps *known,
                       struct caps *words)
{
    char storage[LIMIT_CAPS + 1];
    struct str common = STR_ON(storage);
    struct slice rest = caps_words(words);

    while (rest.len > 0) {
        struct slice word = slice_cut(&rest, ' ');
        if (!caps_has(known, word) || hidden(backend, word))
            continue;
        str_add(&common, common.len > 0 ? SLICE(" ") : SLICE(""));
        str_add(&common, word);
    }
    if (!caps_set(words, str_slice(&common)))
        caps_clear(words);
}

/* Own words first; caps_set drops them where they are among the common ones too. */
static void set_words(struct slice own, const struct caps *common, struct caps *out)
{
    char storage[2 * LIMIT_CAPS + 1];
    struct str all = STR_ON(storage);

    str_add(&all, own);
    str_addc(&all, ' ');
    str_add(&all, caps_words(common));
    if (!caps_set(out, str_slice(&all)) && !caps_set(out, own))
        caps_clear(out);
}

/* --- the whole -------------------------------------------------------------------------------- */

void advert_make(const struct conf *conf, const bool *reached, const struct caps *known,
                 struct slice own, struct advert *out)
{
    const struct conf_routes *routes = conf->routes;
    struct caps common = CAPS_UNKNOWN;
    bool any = false;

    advert_clear(out);
    memcpy(out->mechanisms, conf->auth.mechanisms, sizeof(out->mechanisms));
    for (size_t i = 0; i < routes->backend_count; i++) {
        if (!reached[i])
            continue;
        if (!any)
            carry(&known[i], &common);
        any = true;
        join_words(&routes->backends[i], &known[i], &common);
        for (enum conf_mechanism m = CONF_MECH_PLAIN; m < CONF_MECH_COUNT; m++)
            out->mechanisms[m] = out->mechanisms[m] && promised(&routes->backends[i], &known[i], m);
    }
    set_words(own, &common, &out->words);
    caps_clear(&common);
}

void advert_clear(struct advert *advert)
{
    caps_clear(&advert->words);
    *advert = (struct advert){.words = CAPS_UNKNOWN};
}
