/*
 * `waypost status` and `waypost reload`.
 */
#include <stdio.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/live.h"

static void begin_status(void)
{
    printf("%-20s  %-8s  %7s  %8s  %8s  %8s  %8s  %s\n", "BACKEND", "STATE", "FOR", "SESSIONS",
           "LOGINS", "REFUSED", "FAILED", "WHY");
}

/* "down by operator", and why it last failed. */
static void show_why(const struct ask *ask)
{
    const char *by = ask_text(ask, "by"), *why = ask_text(ask, "why");
    bool known = by != NULL && by[0] != '\0';

    if (!ask_true(ask, "configured"))
        fputs("not in the configuration any more ", stdout);
    if (known)
        printf("by %s%s", by, why != NULL && why[0] != '\0' ? ": " : "");
    if (why != NULL)
        cli_print_foreign(slice_str(why));
    putchar('\n');
}

static void show_backend(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    cell_text(ask_text(ask, "backend"), 20);
    cell_text(ask_text(ask, "state"), 8);
    cell_time(ask_num(ask, "since_ms"), 7);
    cell_num(ask_num(ask, "sessions"), 8);
    cell_num(ask_num(ask, "logins_succeeded"), 8);
    cell_num(ask_num(ask, "logins_refused"), 8);
    cell_num(ask_num(ask, "attempts_failed"), 8);
    show_why(ask);
}

static unsigned long long num(const struct ask *ask, const char *name)
{
    return (unsigned long long)ask_num(ask, name);
}

static void show_process(void *ctx, const struct ask *ask)
{
    time_t at = (time_t)ask_num(ask, "last_reload_at");
    char when[32] = "";
    struct tm parts;

    UNUSED(ctx);
    if (localtime_r(&at, &parts) != NULL)
        (void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts);
    printf("\nwaypost    %s, process %llu, workers: %llu, up for ", ask_text(ask, "version"),
           num(ask, "pid"), num(ask, "workers"));
    cell_time(ask_num(ask, "uptime_ms"), 0);
    puts(ask_true(ask, "leaving") ? "(leaving)" : "");
    printf("sessions   open: %llu of %llu, logged in: %llu, before login: %llu\n",
           num(ask, "sessions_open"), num(ask, "sessions_limit"), num(ask, "sessions_relaying"),
           num(ask, "sessions_early"));
    printf("logins     succeeded: %llu, refused: %llu\n", num(ask, "logins_succeeded"),
           num(ask, "logins_refused"));
    printf("loaded     %s %s%s\n", ask_text(ask, "configuration"), when,
           ask_true(ask, "last_reload_successful") ? "" : ", and what is there now cannot be used");
}

static void show_finding(void *ctx, const struct ask *ask)
{
    const char *pointer = ask_text(ask, "pointer");

    UNUSED(ctx);
    fprintf(stderr, "%s:", ask_text(ask, "file"));
    if (ask_num(ask, "line") > 0)
        fprintf(stderr, "%llu:", num(ask, "line"));
    fprintf(stderr, " %s%s%s\n", pointer, pointer[0] == '\0' ? "" : ": ", ask_text(ask, "text"));
}

static void show_reloaded(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    UNUSED(ask);
    puts("the configuration was loaded and is in force");
}

int cli_status(const struct args *args)
{
    const struct live live = {"status", begin_status, show_backend, show_process, NULL};

    return live_run(&live, args, NULL, 0);
}

int cli_reload(const struct args *args)
{
    const struct live live = {.command = "reload", .item = show_finding, .done = show_reloaded};

    return live_run(&live, args, NULL, 0);
}
