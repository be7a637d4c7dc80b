/*
 * The course of a request to a running proxy, from the command line to the exit status. Owns the
 * connection; what an answer means to people is the command's.
 */
#include "cli/live.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"

/* The path is the caller's; NULL when there is none, and that has been said. */
static char *find_socket(const struct args *args)
{
    struct conf_errors errors = {NULL, 0};
    char *path = NULL;

    if (!conf_control_socket(args->config, &path, &errors)) {
        cli_complain(&errors);
        fputs("waypost: --socket says where the control socket is, if the configuration does not\n",
              stderr);
    }
    conf_errors_clear(&errors);
    return path;
}

struct ask *live_open(const struct args *args, int *status)
{
    char storage[512], *found = args->socket == NULL ? find_socket(args) : NULL;
    const char *path = args->socket == NULL ? found : args->socket;
    struct str why = STR_ON(storage);
    struct ask *ask = path == NULL ? NULL : ask_open(path, &why);

    *status = path == NULL ? CLI_FAULTY : CLI_ALONE;
    if (path != NULL && ask == NULL)
        fprintf(stderr, "waypost: no proxy can be reached: %s\n", storage);
    free(found);
    return ask;
}

static int say_error(const struct ask *ask, const struct live *live)
{
    const char *expected = ask_text(ask, "expected");

    fprintf(stderr, "waypost: %s: %s%s%s\n", live->command, ask_text(ask, "error"),
            expected == NULL ? "" : "; expected ", expected == NULL ? "" : expected);
    return CLI_FAULTY;
}

static int show_last(const struct ask *ask, const struct live *live)
{
    if (ask_text(ask, "error") != NULL)
        return say_error(ask, live);
    if (live->done != NULL)
        live->done(live->ctx, ask);
    return CLI_FINE;
}

int live_ask(struct ask *ask, const struct live *live, const struct args *args,
             const struct ask_member *members, size_t count)
{
    bool begun = false;

    if (!ask_send(ask, live->command, members, count))
        goto gone;
    while (ask_next(ask)) {
        if (args->json)
            puts(ask_line(ask));
        if (ask_last(ask) && args->json)
            return ask_text(ask, "error") == NULL ? CLI_FINE : CLI_FAULTY;
        if (ask_last(ask))
            return show_last(ask, live);
        if (!begun && !args->json && live->begin != NULL)
            live->begin();
        begun = true;
        if (!args->json && live->item != NULL)
            live->item(live->ctx, ask);
    }
gone:
    fputs("waypost: the proxy has gone before it had answered\n", stderr);
    return CLI_ALONE;
}

int live_run(const struct live *live, const struct args *args, const struct ask_member *members,
             size_t count)
{
    int status;
    struct ask *ask = live_open(args, &status);

    if (ask == NULL)
        return status;
    status = live_ask(ask, live, args, members, count);
    ask_close(&ask);
    return status;
}

/* --- cells ------------------------------------------------------------------------------------ */

/* Of what cli_print_foreign prints: one column for each character. */
static unsigned columns(struct slice text)
{
    unsigned n = 0;

    for (; text.len > 0; n++) {
        size_t len = slice_utf8_len(text);
        text = slice_skip(text, len == 0 ? 1 : len);
    }
    return n;
}

void cell_text(const char *text, unsigned width)
{
    struct slice shown = text == NULL ? SLICE("-") : slice_str(text);
    unsigned used = columns(shown);

    cli_print_foreign(shown);
    printf("%*s", (int)(used < width ? width - used : 0) + 2, "");
}

void cell_num(uint64_t n, unsigned width)
{
    printf("%*llu  ", (int)width, (unsigned long long)n);
}

void live_add_time(struct str *out, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        char name;
    } units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
    size_t i = 0;

    while (i + 1 < COUNT_OF(units) && ms < units[i].ms)
        i++;
    str_addf(out, "%llu%c", (unsigned long long)(ms / units[i].ms), units[i].name);
    if (i + 1 < COUNT_OF(units) && ms % units[i].ms / units[i + 1].ms > 0)
        str_addf(out, "%llu%c", (unsigned long long)(ms % units[i].ms / units[i + 1].ms),
                 units[i + 1].name);
}

void cell_time(uint64_t ms, unsigned width)
{
    char storage[32];
    struct str text = STR_ON(storage);

    live_add_time(&text, ms);
    printf("%*s  ", (int)width, storage);
}

void cell_size(uint64_t bytes, unsigned width)
{
    static const char units[] = " kMGTP";
    char storage[32];
    struct str text = STR_ON(storage);
    size_t i = 0;
    double size = (double)bytes;

    for (; size >= 1000 && i + 2 < sizeof(units); i++)
        size /= 1000;
    if (i == 0)
        str_addf(&text, "%llu", (unsigned long long)bytes);
    else
        str_addf(&text, "%.*f%c", size < 10 ? 1 : 0, size, units[i]);
    printf("%*s  ", (int)width, storage);
}
