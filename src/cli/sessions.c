/*
 * `waypost who` and `waypost kick`.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/live.h"

#define FILTERS 4u

/* What the options say; returns how many members. */
static size_t filters(const struct args *args, struct ask_member out[FILTERS])
{
    const struct ask_member all[] = {{"user", args->user, NULL},
                                     {"client", args->client, NULL},
                                     {"backend", args->backend, NULL}};
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (all[i].text != NULL)
            out[n++] = all[i];
    }
    if (args->all)
        out[n++] = (struct ask_member){"all", NULL, NULL};
    return n;
}

static void begin_who(void)
{
    printf("%-28s  %-14s  %-22s  %-10s  %-9s  %7s  %7s  %6s  %6s  %s\n", "USER", "BACKEND",
           "CLIENT", "LISTENER", "PHASE", "AGE", "SILENT", "DOWN", "UP", "SESSION");
}

static void show_session(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    cell_text(ask_text(ask, "user"), 28);
    cell_text(ask_text(ask, "backend"), 14);
    cell_text(ask_text(ask, "client"), 22);
    cell_text(ask_text(ask, "listener"), 10);
    cell_text(ask_true(ask, "leaving") ? "(leaving)" : ask_text(ask, "phase"), 9);
    cell_time(ask_num(ask, "age_ms"), 7);
    cell_time(ask_num(ask, "silent_ms"), 7);
    cell_size(ask_num(ask, "bytes_to_client"), 6);
    cell_size(ask_num(ask, "bytes_to_backend"), 6);
    puts(ask_text(ask, "sid"));
}

static void count_sessions(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    printf("%llu sessions\n", (unsigned long long)ask_num(ask, "sessions"));
}

static void count_kicked(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    printf("%llu sessions were told to end\n", (unsigned long long)ask_num(ask, "kicked"));
}

int cli_who(const struct args *args)
{
    const struct live live = {"who", begin_who, show_session, count_sessions, NULL};
    struct ask_member members[FILTERS];

    return live_run(&live, args, members, filters(args, members));
}

int cli_kick(const struct args *args)
{
    const struct live live = {.command = "kick", .done = count_kicked};
    struct ask_member members[FILTERS];
    size_t count = filters(args, members);

    if (count == 0 || (args->all && count > 1)) {
        fputs("waypost kick: expected --user, --client or --backend, or else --all\n", stderr);
        return CLI_USAGE;
    }
    return live_run(&live, args, members, count);
}
