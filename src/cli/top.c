/*
 * `waypost top`: the status, again and again, as rates. Owns what it remembers of each backend; the
 * first look only fills that.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/live.h"

#define INTERVAL_DEFAULT 2u
#define INTERVAL_MAX     30ul /* a silent client of the control socket is let go after a minute */

enum counter { LOGINS, REFUSED, FAILED, DOWN, UP, COUNTERS };
static const char *const counter_names[COUNTERS] = {
    [LOGINS] = "logins_succeeded", [REFUSED] = "logins_refused", [FAILED] = "attempts_failed",
    [DOWN] = "bytes_to_client",    [UP] = "bytes_to_backend",
};

struct backend {
    char name[LIMIT_NAME + 1], state[16];
    uint64_t sessions, since;
    uint64_t count[COUNTERS], before[COUNTERS];
    bool seen; /* in this look */
};

struct top {
    struct backend *list; /* owned */
    size_t count;
    uint64_t uptime, before; /* of the proxy, ms: what the rates are by */
    uint64_t open, relaying;
};

static struct backend *find(struct top *top, const char *name)
{
    struct backend *list;

    for (size_t i = 0; i < top->count; i++) {
        if (strcmp(top->list[i].name, name) == 0)
            return &top->list[i];
    }
    list = realloc(top->list, (top->count + 1) * sizeof(*list));
    if (list == NULL)
        return NULL;
    top->list = list;
    list[top->count] = (struct backend){.seen = false};
    snprintf(list[top->count].name, sizeof(list->name), "%s", name);
    return &list[top->count++];
}

static void note_backend(void *ctx, const struct ask *ask)
{
    struct backend *b = find(ctx, ask_text(ask, "backend"));

    if (b == NULL)
        return;
    snprintf(b->state, sizeof(b->state), "%s", ask_text(ask, "state"));
    b->sessions = ask_num(ask, "sessions");
    b->since = ask_num(ask, "since_ms");
    b->seen = true;
    for (size_t i = 0; i < COUNTERS; i++) {
        b->before[i] = b->count[i];
        b->count[i] = ask_num(ask, counter_names[i]);
    }
}

static void note_process(void *ctx, const struct ask *ask)
{
    struct top *top = ctx;

    top->before = top->uptime;
    top->uptime = ask_num(ask, "uptime_ms");
    top->open = ask_num(ask, "sessions_open");
    top->relaying = ask_num(ask, "sessions_relaying");
}

/* The busiest first. */
static int compare(const void *left, const void *right)
{
    const struct backend *a = left, *b = right;

    if (a->sessions != b->sessions)
        return a->sessions < b->sessions ? 1 : -1;
    return strcmp(a->name, b->name);
}

static uint64_t rate(const struct top *top, const struct backend *b, enum counter counter)
{
    uint64_t ms = top->uptime - top->before, n = b->count[counter] - b->before[counter];

    return ms == 0 || n > UINT64_MAX / 1000 ? 0 : n * 1000 / ms;
}

static void show_backend(const struct top *top, const struct backend *b)
{
    cell_text(b->name, 20);
    cell_text(b->state, 8);
    cell_time(b->since, 7);
    cell_num(b->sessions, 8);
    for (size_t i = 0; i < DOWN; i++)
        cell_num(rate(top, b, (enum counter)i), 9);
    cell_size(rate(top, b, DOWN), 8);
    cell_size(rate(top, b, UP), 8);
    putchar('\n');
}

static void show(struct top *top)
{
    if (isatty(STDOUT_FILENO))
        fputs("\033[H\033[J", stdout); /* home, and clear what is below */
    printf("waypost up for ");
    cell_time(top->uptime, 0);
    printf("sessions: %" PRIu64 ", logged in: %" PRIu64 "\n\n", top->open, top->relaying);
    printf("%-20s  %-8s  %7s  %8s  %9s  %9s  %9s  %8s  %8s\n", "BACKEND", "STATE", "FOR",
           "SESSIONS", "LOGINS/s", "REFUSED/s", "FAILED/s", "DOWN/s", "UP/s");
    qsort(top->list, top->count, sizeof(*top->list), compare);
    for (size_t i = 0; i < top->count; i++) {
        if (top->list[i].seen)
            show_backend(top, &top->list[i]);
        top->list[i].seen = false;
    }
}

static int watch(struct ask *ask, const struct args *args, unsigned interval)
{
    struct top top = {.list = NULL};
    const struct live live = {
        .command = "status", .item = note_backend, .done = note_process, .ctx = &top};
    int status = live_ask(ask, &live, args, NULL, 0);

    while (status == CLI_FINE && !(args->json && args->once)) {
        for (size_t i = 0; i < top.count; i++)
            top.list[i].seen = false;
        sleep(interval);
        status = live_ask(ask, &live, args, NULL, 0);
        if (status == CLI_FINE && !args->json)
            show(&top);
        if (args->once || fflush(stdout) != 0)
            break;
    }
    free(top.list);
    return status;
}

int cli_top(const struct args *args)
{
    unsigned long interval = INTERVAL_DEFAULT;
    struct ask *ask;
    int status;

    if (args->interval != NULL &&
        (!slice_number(slice_str(args->interval), INTERVAL_MAX, &interval) || interval == 0)) {
        fprintf(stderr, "waypost top: --interval: expected seconds from 1 to %lu\n", INTERVAL_MAX);
        return CLI_USAGE;
    }
    ask = live_open(args, &status);
    if (ask == NULL)
        return status;
    status = watch(ask, args, (unsigned)interval);
    ask_close(&ask);
    return status;
}
