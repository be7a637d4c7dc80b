/*
 * `waypost down`, `up`, `drain`, `undrain`, `move` and `hold`: what an operator tells the running
 * proxy about a backend or a user.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/live.h"

#define RATE_MAX 100000ul

static unsigned long long num(const struct ask *ask, const char *name)
{
    return (unsigned long long)ask_num(ask, name);
}

static void show_backend(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    printf("%s is %s, sessions there: %llu\n", ask_text(ask, "backend"), ask_text(ask, "state"),
           num(ask, "sessions"));
}

static int tell_backend(const char *command, const struct args *args)
{
    const struct live live = {.command = command, .done = show_backend};
    const struct ask_member backend = {"backend", args->operand, NULL};

    return live_run(&live, args, &backend, 1);
}

int cli_down(const struct args *args)
{
    return tell_backend("down", args);
}

int cli_up(const struct args *args)
{
    return tell_backend("up", args);
}

int cli_undrain(const struct args *args)
{
    return tell_backend("undrain", args);
}

static void show_progress(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    printf("sessions there: %llu, in the middle of a command: %llu, told to go: %llu\n",
           num(ask, "sessions"), num(ask, "busy"), num(ask, "told"));
    (void)fflush(stdout);
}

static void show_empty(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    printf("%s is empty, told to go: %llu\n", ask_text(ask, "backend"), num(ask, "told"));
}

int cli_drain(const struct args *args)
{
    const struct live live = {.command = "drain", .item = show_progress, .done = show_empty};
    unsigned long n;
    uint64_t rate;

    if (args->rate == NULL)
        return tell_backend("drain", args);
    if (!slice_number(slice_str(args->rate), RATE_MAX, &n) || n == 0) {
        fprintf(stderr, "waypost drain: --rate: expected sessions in a second, 1 to %lu\n",
                RATE_MAX);
        return CLI_USAGE;
    }
    rate = n;
    const struct ask_member members[] = {{"backend", args->operand, NULL}, {"rate", NULL, &rate}};
    return live_run(&live, args, members, COUNT_OF(members));
}

static void show_moved(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    printf("the user is at %s now; sessions that were told to go: %llu\n", ask_text(ask, "backend"),
           num(ask, "sessions"));
}

int cli_move(const struct args *args)
{
    const struct live live = {.command = "move", .done = show_moved};
    const struct ask_member members[] = {{"user", args->operand, NULL},
                                         {"backend", args->second, NULL}};

    return live_run(&live, args, members, COUNT_OF(members));
}

static void show_held(void *ctx, const struct ask *ask)
{
    UNUSED(ctx);
    cli_print_foreign(slice_str(ask_text(ask, "user")));
    if (ask_num(ask, "held_ms") > 0)
        printf(": logins wait for %llu s\n", num(ask, "held_ms") / 1000);
    else
        puts(": logins are let in");
}

int cli_hold(const struct args *args)
{
    const struct live live = {.command = "hold", .done = show_held};
    const struct ask_member members[] = {{"user", args->operand, NULL},
                                         {"duration", args->second, NULL}};

    return live_run(&live, args, members, COUNT_OF(members));
}
