/*
 * `waypost route --users-file F --against NEW`: asks two routing tables about every user of a file
 * and lists those of whom they say different things. Owns both tables while it runs; connects to
 * nothing. Members of a pool are one place where the user's name does not choose among them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "waypost/base/str.h"
#include "waypost/route/route.h"

/* One comparison in the making. */
struct moves {
    const struct conf *now, *then;
    struct route_query query; /* all but the user */
    struct json_out json;
    bool as_json;
    size_t users, moved;
};

#define PLACE_MAX (2u * LIMIT_USER)

/* Where a user ends up: a backend, a pool or a verdict, and the name there if it is another. */
static void place_of(const struct conf *conf, const struct route_query *query, struct str *out)
{
    struct route_decision d;

    route_decide(conf->routes, query, &d, NULL, NULL);
    if (d.verdict != ROUTE_TO) {
        str_addf(out, "(%s)", route_verdict_name[d.verdict]);
        return;
    }
    bool varies = d.pool != NULL && (d.pool->choose == CONF_CHOOSE_ROUND_ROBIN ||
                                     d.pool->choose == CONF_CHOOSE_LEAST_SESSIONS);
    str_add(out, slice_str(varies ? d.target : d.candidates[0]->name));
    if (strcmp(d.login, d.user) != 0)
        str_addf(out, " as %s", d.login);
}

static void report(struct moves *m, struct slice user, struct slice from, struct slice to)
{
    if (m->as_json) {
        json_begin(&m->json, NULL, '{');
        json_text(&m->json, "user", user);
        json_text(&m->json, "from", from);
        json_text(&m->json, "to", to);
        json_end(&m->json, '}');
        return;
    }
    cli_print_foreign(user);
    putchar('\t');
    cli_print_foreign(from);
    putchar('\t');
    cli_print_foreign(to);
    putchar('\n');
}

static void compare(struct moves *m, struct slice user)
{
    char now[PLACE_MAX], then[PLACE_MAX];
    struct str from = STR_ON(now), to = STR_ON(then);

    m->query.user = user;
    place_of(m->now, &m->query, &from);
    place_of(m->then, &m->query, &to);
    m->users++;
    if (slice_eq(str_slice(&from), str_slice(&to)))
        return;
    m->moved++;
    report(m, user, str_slice(&from), str_slice(&to));
}

/* The first column of each line, so that a users_file will do. */
static void compare_lines(struct moves *m, FILE *file)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, file)) > 0) {
        struct slice text = slice_of(line, (size_t)len);
        text = slice_take(text, slice_find(text, '\n'));
        if (text.len > 0 && text.ptr[text.len - 1] == '\r')
            text.len--;
        if (text.len > 0 && text.ptr[0] != '#')
            compare(m, slice_cut(&text, '\t'));
    }
    free(line);
}

static int compare_file(struct moves *m, const char *path)
{
    FILE *file = fopen(path, "r");
    bool failed = file == NULL;

    if (file != NULL) {
        compare_lines(m, file);
        failed = ferror(file) != 0;
    }
    if (failed)
        fprintf(stderr, "waypost route: %s cannot be read: %s\n", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    if (failed)
        return CLI_FAULTY;
    return m->moved == 0 ? CLI_FINE : CLI_MOVES;
}

static int compare_tables(struct moves *m, const char *path)
{
    if (m->as_json) {
        json_begin(&m->json, NULL, '{');
        json_begin(&m->json, "moves", '[');
    }
    int status = compare_file(m, path);
    if (m->as_json) {
        json_end(&m->json, ']');
        json_num(&m->json, "users", m->users);
        json_num(&m->json, "moved", m->moved);
        json_end(&m->json, '}');
    } else if (status != CLI_FAULTY) {
        printf("%zu of %zu users move\n", m->moved, m->users);
    }
    return status;
}

int cli_moves(const struct conf *now, const struct args *args)
{
    struct moves m = {.now = now, .as_json = args->json};
    struct conf_errors errors = {0};
    struct conf *then = NULL;
    struct addr client;
    int status = CLI_FAULTY;

    if (!cli_query(now, args, &client, &m.query))
        return CLI_USAGE;
    if (conf_load_table(args->config, args->against, &then, &errors)) {
        m.then = then;
        status = compare_tables(&m, args->users_file);
    }
    cli_complain(&errors);
    conf_release(&then);
    conf_errors_clear(&errors);
    return status;
}
