/*
 * `waypost check`: loads everything that `run` would load, certificates and keys included, and
 * lists what is wrong. Opens no socket and changes nothing.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "waypost/base/str.h"
#include "waypost/tls/context.h"

#define FINDING_MAX 4096u

void cli_complain(const struct conf_errors *errors)
{
    char storage[FINDING_MAX];

    for (size_t i = 0; i < errors->count; i++) {
        struct str text = STR_ON(storage);
        conf_error_text(&errors->list[i], &text);
        fprintf(stderr, "%s\n", storage);
    }
}

/* Certificates, keys, authorities and pins. */
static void check_tls(const struct conf *conf, struct conf_errors *errors)
{
    struct tls_tickets *tickets = tls_tickets_new(conf->tls.ticket_keys, errors);
    struct tls_set *set = NULL;

    if (tls_set_new(conf, tickets, &set, errors))
        tls_set_free(&set);
    tls_tickets_free(&tickets);
    conf_errors_locate(errors);
}

static void print_json(const char *path, const struct conf_errors *errors)
{
    struct json_out out = {0};

    json_begin(&out, NULL, '{');
    json_text(&out, "file", slice_str(path));
    json_bool(&out, "ok", errors->count == 0);
    json_begin(&out, "findings", '[');
    for (size_t i = 0; i < errors->count; i++) {
        const struct conf_error *error = &errors->list[i];
        json_begin(&out, NULL, '{');
        json_text(&out, "file", slice_str(error->file));
        json_num(&out, "line", error->line);
        json_text(&out, "pointer", slice_str(error->pointer));
        json_text(&out, "text", slice_str(error->text));
        json_end(&out, '}');
    }
    json_end(&out, ']');
    json_end(&out, '}');
}

static void print_summary(const struct conf *conf)
{
    printf("%s: good (listeners: %zu, backends: %zu, rules: %zu)\n", conf->path,
           conf->listener_count, conf->routes->backend_count, conf->routes->rule_count);
}

int cli_check(const struct args *args)
{
    struct conf_errors errors = {0};
    struct conf *conf = NULL;

    if (conf_load(args->config, &conf, &errors))
        check_tls(conf, &errors);
    bool good = errors.count == 0;
    if (args->json)
        print_json(args->config, &errors);
    else if (good)
        print_summary(conf);
    else
        cli_complain(&errors);
    conf_release(&conf);
    conf_errors_clear(&errors);
    return good ? CLI_FINE : CLI_FAULTY;
}
