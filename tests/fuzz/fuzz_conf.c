/*
 * Configuration files. The input is waypost.json, routes.json and users.tsv with "---" lines
 * between them; what is missing is replaced by something that loads. Either a tree comes out or at
 * least one finding, every finding can be shown and lies within its file, and a table that loads
 * answers for any user within the bounds.
 */
#include <stdint.h>

#include "support/conf_text.h"
#include "waypost/base/limits.h"
#include "waypost/route/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice cut_part(struct slice *rest)
{
    struct slice all = *rest, marker = SLICE("\n---\n");

    for (size_t i = 0; i + marker.len <= all.len; i++) {
        if (slice_starts(slice_skip(all, i), marker)) {
            *rest = slice_skip(all, i + marker.len);
            return slice_take(all, i);
        }
    }
    *rest = slice_of("", 0);
    return all;
}

static unsigned lines_of(const struct conf_text *files, const char *path)
{
    unsigned lines = 1;

    for (; files->path != NULL; files++) {
        if (strcmp(files->path, path) != 0)
            continue;
        for (size_t i = 0; i < files->text.len; i++)
            lines += files->text.ptr[i] == '\n' ? 1 : 0;
        return lines;
    }
    return 0; /* could not be read */
}

static void check_printable(const char *text)
{
    for (; *text != '\0'; text++)
        ENSURE((unsigned char)*text >= 0x20 && *text != 0x7F);
}

static void check_errors(const struct conf_text *files, const struct conf_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct conf_error *error = &errors->list[i];
        ENSURE(error->text[0] != '\0');
        ENSURE(error->pointer[0] == '\0' || error->pointer[0] == '/');
        ENSURE(error->line <= lines_of(files, error->file));
        check_printable(error->file);
        check_printable(error->pointer);
        check_printable(error->text);
    }
}

static void on_rule(void *ctx, size_t rule_index, bool matched, const char *why)
{
    size_t *tried = ctx;

    ENSURE(rule_index == *tried);
    ENSURE(why[0] != '\0');
    check_printable(why);
    UNUSED(matched);
    ++*tried;
}

/* Whoever listens changes nothing. */
static void check_untold(const struct conf_routes *routes, const struct route_query *query,
                         const struct route_decision *told)
{
    struct route_decision d;

    route_decide(routes, query, &d, NULL, NULL);
    ENSURE(d.verdict == told->verdict && d.rule == told->rule && d.target == told->target);
    ENSURE(strcmp(d.user, told->user) == 0 && strcmp(d.login, told->login) == 0);
    ENSURE(d.candidate_count == told->candidate_count);
    for (size_t i = 0; i < d.candidate_count; i++)
        ENSURE(d.candidates[i] == told->candidates[i]);
}

static void check_route(const struct conf *conf, struct slice user, struct slice sni)
{
    static const struct addr client = {.ip = {[10] = 0xFF, [11] = 0xFF, 192, 0, 2, 7}};
    const struct conf_routes *routes = conf->routes;
    struct route_query query = {.user = user,
                                .listener = slice_str(conf->listeners[0].name),
                                .sni = sni,
                                .client = sni.len > 0 ? &client : NULL,
                                .turn = user.len};
    struct route_decision d;
    size_t tried = 0;

    route_decide(routes, &query, &d, on_rule, &tried);
    check_untold(routes, &query, &d);
    ENSURE(tried <= routes->rule_count);
    ENSURE((d.verdict == ROUTE_TO) == (d.candidate_count > 0));
    ENSURE(d.verdict == ROUTE_BAD_USER || d.user[0] != '\0');
    ENSURE(d.verdict != ROUTE_TO || (d.login[0] != '\0' && d.rule_index == tried - 1));
    ENSURE(strlen(d.user) <= LIMIT_USER && strlen(d.login) <= LIMIT_USER);
    for (size_t i = 0; i < d.candidate_count; i++) {
        ENSURE(d.candidates[i]->tls == CONF_TLS_NONE || d.candidates[i]->verify_name != NULL);
        for (size_t j = 0; j < i; j++)
            ENSURE(d.candidates[j] != d.candidates[i]);
    }
    ENSURE(d.pool == NULL || d.pool->failover || d.candidate_count <= 1);
}

static void check_conf(const struct conf *conf, struct slice input)
{
    ENSURE(conf->listener_count > 0 && conf->tls.certificate_count > 0 && conf->hostname != NULL);
    ENSURE(conf->limits.sasl_line + conf->limits.line <= LIMIT_BUF);
    ENSURE(conf->routes->backend_count > 0 && conf->routes->rule_count > 0);
    check_route(conf, SLICE("alice@example.net"), SLICE("imap.example.net"));
    check_route(conf, SLICE("Bob"), SLICE(""));
    check_route(conf, SLICE("x@a.b.example.net"), SLICE("x.example.net"));
    check_route(conf, slice_take(input, LIMIT_USER + 1), slice_take(input, LIMIT_HOST));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size), rest = input;
    struct slice waypost = cut_part(&rest), routes = cut_part(&rest);
    struct conf_text files[] = {
        {"waypost.json", waypost.len == 0 ? slice_str(conf_text_waypost) : waypost},
        {"routes.json", routes.len == 0 ? slice_str(conf_text_routes) : routes},
        {"users.tsv", rest},
        {NULL, {0}},
    };
    struct conf_source source = conf_text_source(files);
    struct conf_errors errors = {0};
    struct conf *conf = NULL;
    bool loaded = conf_load_from("waypost.json", &source, &conf, &errors);

    ENSURE(loaded == (conf != NULL));
    ENSURE(loaded == (errors.count == 0));
    check_errors(files, &errors);
    if (loaded)
        check_conf(conf, input);
    conf_release(&conf);
    conf_errors_clear(&errors);
    return 0;
}
