/*
 * `waypost check`: loads everything that `run` would load, certificates and keys included, and
 * lists what is wrong. Changes nothing, and opens no socket unless asked to look at the backends.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/connect.h"
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

static void print_json(const char *path, bool good, const struct conf_errors *errors,
                       const struct looks *looks)
{
    struct json_out out = {0};

    json_begin(&out, NULL, '{');
    json_text(&out, "file", slice_str(path));
    json_bool(&out, "ok", good);
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
    if (looks != NULL)
        looks_json(looks, &out);
    json_end(&out, '}');
}

static void print_summary(const struct conf *conf)
{
    printf("%s: good (listeners: %zu, backends: %zu, rules: %zu)\n", conf->path,
           conf->listener_count, conf->routes->backend_count, conf->routes->rule_count);
}

/* What a check loads, and what it finds. */
struct check {
    struct conf *conf;           /* NULL: does not load */
    struct tls_tickets *tickets; /* owned */
    struct tls_set *tls;         /* owned; NULL: cannot be used */
    struct conf_errors errors;
    bool looked;
    struct looks looks;
};

/* The files, and then certificates, keys, authorities and pins. */
static void load(struct check *c, const char *path)
{
    if (!conf_load(path, &c->conf, &c->errors))
        return;
    c->tickets = tls_tickets_new(c->conf->tls.ticket_keys, &c->errors);
    if (!tls_set_new(c->conf, c->tickets, &c->tls, &c->errors))
        c->tls = NULL;
    conf_errors_locate(&c->errors);
}

static void look(struct check *c)
{
    c->looked = c->errors.count == 0 && looks_take(&c->looks, c->conf, c->tls);
    if (!c->looked && c->errors.count == 0)
        conf_errors_add(&c->errors, c->conf->path, 0, "", "out of memory");
}

static void clear(struct check *c)
{
    looks_fini(&c->looks);
    tls_set_free(&c->tls);
    tls_tickets_free(&c->tickets);
    conf_release(&c->conf);
    conf_errors_clear(&c->errors);
}

int cli_check(const struct args *args)
{
    struct check c = {.conf = NULL};

    load(&c, args->config);
    if (args->connect)
        look(&c);
    bool good = c.errors.count == 0 && (!c.looked || looks_good(&c.looks));
    if (args->json)
        print_json(args->config, good, &c.errors, c.looked ? &c.looks : NULL);
    else if (c.errors.count == 0)
        print_summary(c.conf);
    else
        cli_complain(&c.errors);
    if (!args->json)
        looks_print(&c.looks);
    clear(&c);
    return good ? CLI_FINE : CLI_FAULTY;
}
