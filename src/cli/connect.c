/*
 * Looks at every backend by the probe that the proxy itself uses, judges what it saw against the
 * configuration, and says so. Owns loop, pool and name cache for the length of looks_take. Logs in
 * nowhere but with the account of a probe, and changes nothing.
 */
#include "cli/connect.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/candidate.h"
#include "cli/commands.h"
#include "waypost/base/str.h"
#include "waypost/net/socket.h"
#include "waypost/route/advert.h"
#include "waypost/run/probing.h"
#include "waypost/sasl/sasl.h"

/* Sockets and memory for that many at once are always there. */
#define AT_ONCE 64u

struct looking;

struct look {
    struct probing probing; /* over when it is read */
    struct looking *looking;
    const struct conf *conf;
    bool reached; /* a rule leads there */
};

/* All of it under way. */
struct looking {
    struct looks *looks;
    struct probing_home home;
    struct tls_set *tls;
    size_t next;
};

/* --- looking ---------------------------------------------------------------------------------- */

static void on_done(struct probing *probing);

static void look_at_next(struct looking *l)
{
    struct look *look;

    if (l->next == l->looks->count)
        return;
    look = &l->looks->list[l->next];
    probing_start(&look->probing, &l->home, &look->conf->routes->backends[l->next], l->tls,
                  on_done);
    l->next++;
}

static void on_done(struct probing *probing)
{
    look_at_next(container_of(probing, struct look, probing)->looking);
}

static void look_at_all(struct looking *l)
{
    uv_loop_t loop;
    struct pool pool;
    struct dns dns;
    int error = uv_loop_init(&loop);

    ENSURE(error == 0);
    signal(SIGPIPE, SIG_IGN);
    pool_init(&pool);
    dns_init(&dns, &loop);
    l->home = (struct probing_home){.loop = &loop, .pool = &pool, .dns = &dns};
    for (unsigned i = 0; i < AT_ONCE; i++)
        look_at_next(l);
    uv_run(&loop, UV_RUN_DEFAULT);
    dns_close(&dns);
    uv_run(&loop, UV_RUN_DEFAULT);
    dns_fini(&dns);
    error = uv_loop_close(&loop);
    ENSURE(error == 0);
    /* The capabilities stay; the queues belong to the pool. */
    for (size_t i = 0; i < l->looks->count; i++) {
        struct port *port = &l->looks->list[i].probing.probe.port;
        buf_fini(&port->in);
        buf_fini(&port->out);
    }
    pool_fini(&pool);
}

bool looks_take(struct looks *looks, const struct conf *conf, struct tls_set *tls)
{
    size_t count = conf->routes->backend_count;
    struct looking looking = {.looks = looks, .tls = tls};
    struct look *list = calloc(count + 1, sizeof(*list));
    bool *reached = calloc(count + 1, sizeof(*reached));

    if (list == NULL || reached == NULL) {
        free(list);
        free(reached);
        return false;
    }
    advert_reach(conf->routes, NULL, reached);
    for (size_t i = 0; i < count; i++) {
        list[i].looking = &looking;
        list[i].conf = conf;
        list[i].reached = reached[i];
    }
    free(reached);
    *looks = (struct looks){list, count};
    look_at_all(&looking);
    return true;
}

void looks_fini(struct looks *looks)
{
    for (size_t i = 0; i < looks->count; i++)
        caps_clear(&looks->list[i].probing.probe.caps);
    free(looks->list);
    *looks = (struct looks){NULL, 0};
}

/* --- judging ---------------------------------------------------------------------------------- */

/* A login goes by what the backend shows, whatever is declared. */
static bool takes(const struct look *look, enum conf_mechanism mechanism)
{
    const struct probe *probe = &look->probing.probe;
    struct conf_backend shown = *probe->backend;

    shown.mechanisms_declared = false;
    return advert_takes(&shown, &probe->caps, mechanism);
}

/* Some enabled mechanism leads in. */
static bool usable(const struct look *look)
{
    for (enum conf_mechanism m = CONF_MECH_PLAIN; m < CONF_MECH_COUNT; m++) {
        if (look->conf->auth.mechanisms[m] && takes(look, m))
            return true;
    }
    return false;
}

bool looks_good(const struct looks *looks)
{
    for (size_t i = 0; i < looks->count; i++) {
        if (!looks->list[i].probing.probe.up || !usable(&looks->list[i]))
            return false;
    }
    return true;
}

typedef void warner(void *ctx, const char *text);

static void warn_of_mechanism(const struct look *look, enum conf_mechanism m, warner *warn,
                              void *ctx)
{
    bool declared = look->probing.probe.backend->mechanisms_declared;
    char storage[256];
    struct str text = STR_ON(storage);

    if (!look->conf->auth.mechanisms[m] || takes(look, m))
        return;
    str_addf(&text, "no login here for clients that use %s", sasl_name(m));
    if (m == CONF_MECH_PLAIN || m == CONF_MECH_LOGIN)
        str_addf(&text, ": what it offers fits neither a password nor \"auth_forward\"");
    else if (m == CONF_MECH_EXTERNAL)
        str_addf(&text, ": it has no master user");
    else if (!declared && look->reached)
        str_addf(&text, ", so it is offered to nobody");
    warn(ctx, storage);
}

/* A dial passes over what it cannot use, so nobody would notice. */
static void warn_of_sources(const struct conf_backend *b, warner *warn, void *ctx)
{
    char address[ADDR_TEXT], storage[128];

    for (size_t i = 0; i < b->source_count; i++) {
        struct str text = STR_ON(storage);
        int error = socket_try_source(&b->sources[i]);
        str_addf(&text, "source address %s: %s", addr_format(&b->sources[i], false, address),
                 strerror(error));
        if (error != 0)
            warn(ctx, storage);
    }
}

/* Tells everything that an operator should know of a backend that is up. */
static void judge(const struct look *look, warner *warn, void *ctx)
{
    const struct probe *probe = &look->probing.probe;

    if (!usable(look))
        warn(ctx, caps_has(&probe->caps, SLICE("LOGINDISABLED"))
                      ? "nobody can log in: LOGINDISABLED, and no mechanism that fits"
                      : "nobody can log in: it offers no mechanism that fits");
    for (enum conf_mechanism m = CONF_MECH_PLAIN; m < CONF_MECH_COUNT; m++)
        warn_of_mechanism(look, m, warn, ctx);
    if (advert_binds_channel(look->conf, &probe->caps))
        warn(ctx, ADVERT_PLUS_TEXT);
    warn_of_sources(probe->backend, warn, ctx);
    if (!look->reached)
        warn(ctx, "no rule leads here");
}

/* --- as text ---------------------------------------------------------------------------------- */

static void print_warning(void *ctx, const char *text)
{
    UNUSED(ctx);
    printf("           warning: %s\n", text);
}

static void print_tls(const struct probe *probe)
{
    const struct conf_backend *b = probe->backend;

    if (probe->tls_version == NULL)
        printf("           in clear\n");
    else
        printf("           %s, %s; certificate verified as %s\n", probe->tls_version,
               probe->tls_cipher, b->verify_name);
}

static void print_look(const struct look *look)
{
    const struct probe *probe = &look->probing.probe;
    char storage[LIMIT_HOST + 16];
    struct str address = STR_ON(storage);

    candidate_address(probe->backend, &address);
    printf("backend    %s at %s: ", probe->backend->name, storage);
    if (!probe->up) {
        printf("down, ");
        cli_print_foreign(slice_str(probe->why));
        putchar('\n');
        return;
    }
    printf("up, answers in %" PRIu64 " ms\n", probe->round_trip);
    print_tls(probe);
    printf("           ");
    cli_print_foreign(caps_words(&probe->caps));
    putchar('\n');
    if (probe->backend->probe_user != NULL)
        printf("           logged in as %s\n", probe->backend->probe_user);
    judge(look, print_warning, NULL);
}

void looks_print(const struct looks *looks)
{
    for (size_t i = 0; i < looks->count; i++)
        print_look(&looks->list[i]);
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static void json_warning(void *ctx, const char *text)
{
    json_text(ctx, NULL, slice_str(text));
}

static void json_look(const struct look *look, struct json_out *out)
{
    const struct probe *probe = &look->probing.probe;
    char storage[LIMIT_HOST + 16];
    struct str address = STR_ON(storage);

    candidate_address(probe->backend, &address);
    json_begin(out, NULL, '{');
    json_text(out, "backend", slice_str(probe->backend->name));
    json_text(out, "address", str_slice(&address));
    json_bool(out, "up", probe->up);
    json_bool(out, "usable", probe->up && usable(look));
    if (probe->tls_version != NULL) {
        json_text(out, "tls_version", slice_str(probe->tls_version));
        json_text(out, "tls_cipher", slice_str(probe->tls_cipher));
        json_text(out, "verified_as", slice_str(probe->backend->verify_name));
    }
    if (probe->up) {
        json_num(out, "round_trip_ms", probe->round_trip);
        json_text(out, "capabilities", caps_words(&probe->caps));
        if (probe->backend->probe_user != NULL)
            json_text(out, "logged_in_as", slice_str(probe->backend->probe_user));
        json_begin(out, "warnings", '[');
        judge(look, json_warning, out);
        json_end(out, ']');
    } else {
        json_text(out, "why", slice_str(probe->why));
    }
    json_end(out, '}');
}

void looks_json(const struct looks *looks, struct json_out *out)
{
    json_begin(out, "backends", '[');
    for (size_t i = 0; i < looks->count; i++)
        json_look(&looks->list[i], out);
    json_end(out, ']');
}
