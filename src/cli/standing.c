/*
 * Asks the running proxy for its status and keeps what it says of each backend of a table. Owns the
 * connection and the list. A proxy that cannot be reached is an answer, not an
 * error.
 */
#include "cli/standing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/live.h"
#include "waypost/base/str.h"

/* ----- asking ------------------------------------------------------------------------------- */

static void copy(const char *text, char *to, size_t size)
{
    struct str out = str_on(to, size);

    str_add(&out, slice_take(slice_str(text), size - 1));
}

static void take(const struct ask *ask, struct standing *out)
{
    out->known = true;
    copy(ask_text(ask, "state"), out->state, sizeof(out->state));
    copy(ask_text(ask, "by"), out->by, sizeof(out->by));
    copy(ask_text(ask, "why"), out->why, sizeof(out->why));
    out->since = ask_num(ask, "since_ms");
    out->sessions = ask_num(ask, "sessions");
    out->max_sessions = ask_num(ask, "max_sessions");
}

static void take_line(const struct conf_routes *routes, const struct ask *ask,
                      struct standing *list)
{
    struct slice name = slice_str(ask_text(ask, "backend"));

    for (size_t i = 0; i < routes->backend_count; i++) {
        if (slice_eq(slice_str(routes->backends[i].name), name))
            take(ask, &list[i]);
    }
}

/* False when the answer has no end. */
static bool listen_to(struct ask *ask, const struct conf_routes *routes, struct standing *list)
{
    if (!ask_send(ask, "status", NULL, 0))
        return false;
    while (ask_next(ask)) {
        if (ask_last(ask))
            return ask_text(ask, "error") == NULL;
        take_line(routes, ask, list);
    }
    return false;
}

static uint64_t sessions_of(void *ctx, const struct conf_backend *backend)
{
    const struct standing *s = standing_of(ctx, backend);

    return s == NULL ? 0 : s->sessions;
}

/* True when the proxy has answered. */
static bool reach(struct standings *s, const struct conf_routes *routes, const char *socket)
{
    struct str why = STR_ON(s->unknown);

    s->list = calloc(routes->backend_count, sizeof(*s->list));
    if (s->list == NULL) {
        str_add(&why, SLICE("out of memory"));
        return false;
    }
    if (socket == NULL) {
        str_add(&why, SLICE("no control socket is configured"));
        return false;
    }
    str_add(&why, SLICE("no proxy can be reached: "));
    s->ask = ask_open(socket, &why);
    if (s->ask == NULL)
        return false;
    str_addf(&why, "%s: no answer", socket);
    return listen_to(s->ask, routes, s->list);
}

void standings_ask(const struct conf *conf, const char *socket, struct standings *out)
{
    *out = (struct standings){.load = {sessions_of, out}};
    if (!reach(out, conf->routes, socket))
        standings_fini(out);
}

void standings_ask_home(struct standings *s, const char *cluster, const char *login,
                        struct standing_home *out)
{
    struct ask_member members[] = {{.name = "user", .text = login},
                                   {.name = "cluster", .text = cluster}};

    *out = (struct standing_home){.held = 0};
    if (s->ask == NULL ||
        !ask_send(s->ask, "user", members, cluster == NULL ? 1 : COUNT_OF(members)) ||
        !ask_next(s->ask))
        return;
    copy(ask_text(s->ask, "backend"), out->backend, sizeof(out->backend));
    copy(ask_text(s->ask, "moving_to"), out->moving_to, sizeof(out->moving_to));
    out->pinned = ask_true(s->ask, "pinned");
    out->logins = ask_num(s->ask, "logins");
    out->sessions = ask_num(s->ask, "sessions");
    out->held = ask_num(s->ask, "held_ms");
}

void standings_fini(struct standings *s)
{
    ask_close(&s->ask);
    free(s->list);
    s->list = NULL;
}

/* ----- looking ------------------------------------------------------------------------------ */

const struct standing *standing_of(const struct standings *s, const struct conf_backend *b)
{
    return s->list != NULL && s->list[b->index].known ? &s->list[b->index] : NULL;
}

static bool is_full(const struct standing *s)
{
    return s->max_sessions > 0 && s->sessions >= s->max_sessions;
}

bool standing_admits(const struct standing *s)
{
    return strcmp(s->state, "up") == 0 && !is_full(s);
}

bool standing_serves(const struct standing *s)
{
    return strcmp(s->state, "down") != 0 && !is_full(s);
}

/* ----- telling ------------------------------------------------------------------------------ */

void standing_print(const struct standing *s)
{
    char storage[32];
    struct str since = STR_ON(storage);

    live_add_time(&since, s->since);
    printf("           ");
    cli_print_foreign(slice_str(s->state));
    printf(" for %s, %" PRIu64 " sessions", storage, s->sessions);
    if (is_full(s))
        printf(", which is all it may have");
    if (s->by[0] != '\0') {
        printf("; by ");
        cli_print_foreign(slice_str(s->by));
    }
    if (s->why[0] != '\0') {
        printf("%s", s->by[0] != '\0' ? ": " : "; last failure: ");
        cli_print_foreign(slice_str(s->why));
    }
    putchar('\n');
}

void standing_json(const struct standing *s, struct json_out *out)
{
    json_begin(out, "health", '{');
    json_text(out, "state", slice_str(s->state));
    json_text(out, "by", slice_str(s->by));
    json_text(out, "why", slice_str(s->why));
    json_num(out, "since_ms", s->since);
    json_num(out, "sessions", s->sessions);
    json_num(out, "max_sessions", s->max_sessions);
    json_bool(out, "admits", standing_admits(s));
    json_end(out, '}');
}
