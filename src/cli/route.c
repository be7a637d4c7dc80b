/*
 * `waypost route`: asks the routing table about one user and explains the answer, rule by rule. It
 * calls the function that the proxy calls. Connects to nothing but the running proxy, for what that
 * knows of the backends; without it the answer is the table's alone.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/candidate.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/live.h"
#include "cli/now.h"
#include "cli/standing.h"
#include "waypost/base/str.h"
#include "waypost/route/hash.h"
#include "waypost/route/route.h"

/* One answer in the making. */
struct answer {
    const struct conf *conf;
    const struct args *args;
    struct standings standings;
    struct standing_home home;
    struct now now; /* once a proxy has answered */
    struct json_out json;
};

void cli_print_foreign(struct slice text)
{
    while (text.len > 0) {
        size_t len = slice_utf8_len(text);
        bool control = (unsigned char)text.ptr[0] < 0x20 || text.ptr[0] == 0x7F;
        if (len == 0 || control)
            putchar('?');
        else
            fwrite(text.ptr, 1, len, stdout);
        text = slice_skip(text, len == 0 ? 1 : len);
    }
}

static void print_row(const char *name, const char *text)
{
    printf("%-10s ", name);
    cli_print_foreign(slice_str(text));
    putchar('\n');
}

/* ----- rules -------------------------------------------------------------------------------- */

static void on_rule_text(void *ctx, size_t rule_index, bool matched, const char *why)
{
    const struct answer *a = ctx;
    const struct conf_routes *routes = a->conf->routes;

    printf("rule %-5zu %s  %s:%u: %s\n", rule_index, matched ? "yes" : "no ", routes->path,
           routes->rules[rule_index].line, why);
}

static void on_rule_json(void *ctx, size_t rule_index, bool matched, const char *why)
{
    struct answer *a = ctx;

    json_begin(&a->json, NULL, '{');
    json_num(&a->json, "index", rule_index);
    json_num(&a->json, "line", a->conf->routes->rules[rule_index].line);
    json_bool(&a->json, "matched", matched);
    json_text(&a->json, "why", slice_str(why));
    json_end(&a->json, '}');
}

/* ----- pools -------------------------------------------------------------------------------- */

/* -log2 of the hash, divided by the weight in units of the customary 100; for people. */
static double readable_score(const struct hash_place *place)
{
    uint64_t score = place->score & ~HASH_RESERVE;
    return (double)score / (double)((uint64_t)1 << 56) * 100;
}

static size_t order_of(const struct answer *a, const struct route_decision *decision,
                       struct hash_place out[LIMIT_CANDIDATES])
{
    return hash_order(decision->pool, slice_str(decision->user), 0, &a->standings.load, out);
}

static void print_pool(const struct answer *a, const struct route_decision *decision)
{
    const struct conf_pool *pool = decision->pool;
    struct hash_place order[LIMIT_CANDIDATES];
    size_t count = order_of(a, decision, order);

    printf("pool       %s among %zu members, %s\n", conf_choose_words[pool->choose],
           pool->member_count,
           pool->failover ? "in this order until one answers" : "the first of them only");
    for (size_t i = 0; i < count; i++) {
        printf("           %s, weight %u", order[i].member->name, order[i].member->weight);
        if (pool->choose == CONF_CHOOSE_USER_HASH)
            printf(", score %.4f", readable_score(&order[i]));
        putchar('\n');
    }
}

static void print_pool_json(struct answer *a, const struct route_decision *decision)
{
    const struct conf_pool *pool = decision->pool;
    struct hash_place order[LIMIT_CANDIDATES];
    size_t count = order_of(a, decision, order);
    struct json_out *out = &a->json;

    json_begin(out, "pool", '{');
    json_text(out, "choose", slice_str(conf_choose_words[pool->choose]));
    json_bool(out, "failover", pool->failover);
    json_num(out, "members", pool->member_count);
    json_begin(out, "order", '[');
    for (size_t i = 0; i < count; i++) {
        json_begin(out, NULL, '{');
        json_text(out, "backend", slice_str(order[i].member->name));
        json_num(out, "weight", order[i].member->weight);
        if (pool->choose == CONF_CHOOSE_USER_HASH)
            json_num(out, "score", order[i].score & ~HASH_RESERVE);
        json_end(out, '}');
    }
    json_end(out, ']');
    json_end(out, '}');
}

/* ----- backends ----------------------------------------------------------------------------- */

/* What the proxy adds once the decision is there. */
static void ask_now(struct answer *a, const struct route_decision *decision)
{
    if (a->standings.list == NULL)
        return;
    standings_ask_home(&a->standings, decision->cluster, decision->login, &a->home);
    now_find(&a->standings, a->conf->routes, decision, &a->home, &a->now);
}

static void print_home(const struct standing_home *home)
{
    char storage[32];
    struct str held = STR_ON(storage);

    if (home->backend[0] != '\0')
        printf("home       %s, %" PRIu64 " sessions%s\n", home->backend, home->sessions,
               home->logins > home->sessions ? " and others on their way" : "");
    if (home->held > 0) {
        live_add_time(&held, home->held);
        printf("held       for %s\n", storage);
    }
}

static void print_backends(struct answer *a, const struct route_decision *decision)
{
    for (size_t i = 0; i < decision->candidate_count; i++) {
        const struct standing *s = standing_of(&a->standings, decision->candidates[i]);
        candidate_print(decision->candidates[i]);
        if (s != NULL)
            standing_print(s);
        else if (a->standings.list != NULL)
            printf("           not known to the running proxy\n");
    }
    if (a->standings.list == NULL) {
        printf("health     unknown: %s\n", a->standings.unknown);
        return;
    }
    print_home(&a->home);
    print_row("now", a->now.backend != NULL ? a->now.backend : a->now.why);
}

static void json_now(struct answer *a)
{
    struct json_out *out = &a->json;

    if (a->home.backend[0] != '\0') {
        json_begin(out, "home", '{');
        json_text(out, "backend", slice_str(a->home.backend));
        json_num(out, "sessions", a->home.sessions);
        json_end(out, '}');
    }
    if (a->home.moving_to[0] != '\0')
        json_text(out, "moving_to", slice_str(a->home.moving_to));
    if (a->home.held > 0)
        json_num(out, "held_ms", a->home.held);
    if (a->now.backend != NULL)
        json_text(out, "now", slice_str(a->now.backend));
    else
        json_text(out, "now_none", slice_str(a->now.why));
}

static void json_backends(struct answer *a, const struct route_decision *decision)
{
    struct json_out *out = &a->json;

    json_begin(out, "candidates", '[');
    for (size_t i = 0; i < decision->candidate_count; i++)
        candidate_json(decision->candidates[i], standing_of(&a->standings, decision->candidates[i]),
                       out);
    json_end(out, ']');
    if (a->standings.list == NULL)
        json_text(out, "health_unknown", slice_str(a->standings.unknown));
    else if (decision->verdict == ROUTE_TO)
        json_now(a);
}

/* ----- answers ------------------------------------------------------------------------------ */

static const char *const verdict_texts[] = {
    [ROUTE_TO] = "routed",
    [ROUTE_DENIED] = "refused by that rule",
    [ROUTE_NO_MATCH] = "refused, because no rule matches",
    [ROUTE_BAD_USER] = "refused, because it cannot be a user name",
    [ROUTE_UNAVAILABLE] = "not available at the moment",
};

static void answer_text(struct answer *a, const struct route_query *query,
                        struct route_decision *decision)
{
    print_row("user", a->args->operand);
    route_decide(a->conf->routes, query, decision, on_rule_text, a);
    if (decision->verdict != ROUTE_BAD_USER)
        print_row("normalized", decision->user);
    print_row("verdict", verdict_texts[decision->verdict]);
    if (decision->verdict != ROUTE_TO)
        return;
    ask_now(a, decision);
    print_row("target", decision->target);
    print_row("login", decision->login);
    if (decision->cluster != NULL)
        print_row("cluster", decision->cluster);
    if (decision->pool != NULL)
        print_pool(a, decision);
    print_backends(a, decision);
}

static void answer_json(struct answer *a, const struct route_query *query,
                        struct route_decision *decision)
{
    struct json_out *out = &a->json;

    json_begin(out, NULL, '{');
    json_text(out, "user", query->user);
    json_begin(out, "rules", '[');
    route_decide(a->conf->routes, query, decision, on_rule_json, a);
    json_end(out, ']');
    json_text(out, "verdict", slice_str(route_verdict_name[decision->verdict]));
    if (decision->verdict != ROUTE_BAD_USER)
        json_text(out, "normalized", slice_str(decision->user));
    if (decision->verdict == ROUTE_TO) {
        ask_now(a, decision);
        json_text(out, "target", slice_str(decision->target));
        json_text(out, "login", slice_str(decision->login));
        if (decision->cluster != NULL)
            json_text(out, "cluster", slice_str(decision->cluster));
    }
    if (decision->verdict == ROUTE_TO && decision->pool != NULL)
        print_pool_json(a, decision);
    json_backends(a, decision);
    json_end(out, '}');
}

static int status_of(const struct answer *a, const struct route_decision *decision)
{
    if (decision->verdict == ROUTE_TO)
        return a->standings.list == NULL || a->now.backend != NULL || a->now.waits ? CLI_FINE
                                                                                   : CLI_FAULTY;
    return decision->verdict == ROUTE_UNAVAILABLE ? CLI_FAULTY : CLI_DENIED;
}

static bool known_listener(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (strcmp(conf->listeners[i].name, name) == 0)
            return true;
    }
    return false;
}

bool cli_query(const struct conf *conf, const struct args *args, struct addr *client,
               struct route_query *out)
{
    if (args->listener != NULL && !known_listener(conf, args->listener)) {
        fprintf(stderr, "waypost route: there is no listener \"%s\"\n", args->listener);
        return false;
    }
    if (args->client != NULL && !addr_parse(slice_str(args->client), client)) {
        fprintf(stderr, "waypost route: \"%s\" is not an IP address\n", args->client);
        return false;
    }
    *out = (struct route_query){.user = slice_str(args->operand),
                                .listener = slice_str(args->listener),
                                .sni = slice_str(args->sni),
                                .client = args->client == NULL ? NULL : client};
    return true;
}

static int explain(const struct conf *conf, const struct args *args)
{
    struct answer a = {.conf = conf, .args = args};
    struct route_query query;
    struct route_decision decision;
    struct addr client;
    int status;

    if (!cli_query(conf, args, &client, &query))
        return CLI_USAGE;
    standings_ask(conf, args->socket != NULL ? args->socket : conf->control.socket, &a.standings);
    query.load = &a.standings.load;
    if (args->json)
        answer_json(&a, &query, &decision);
    else
        answer_text(&a, &query, &decision);
    status = status_of(&a, &decision);
    standings_fini(&a.standings);
    return status;
}

/* One user, or a file of them and a table. */
static bool good_usage(const struct args *args)
{
    bool both = args->users_file != NULL && args->against != NULL;
    bool either = args->users_file != NULL || args->against != NULL;

    if (args->operand == NULL && !either)
        fprintf(stderr, "waypost route: missing USER; see waypost route --help\n");
    else if (either && (!both || args->operand != NULL))
        fprintf(stderr, "waypost route: --users-file and --against belong together, and no USER "
                        "beside them\n");
    else
        return true;
    return false;
}

int cli_route(const struct args *args)
{
    struct conf_errors errors = {0};
    struct conf *conf = NULL;
    int status = CLI_FAULTY;

    if (!good_usage(args))
        return CLI_USAGE;
    if (conf_load(args->config, &conf, &errors))
        status = args->against != NULL ? cli_moves(conf, args) : explain(conf, args);
    cli_complain(&errors);
    conf_release(&conf);
    conf_errors_clear(&errors);
    return status;
}
