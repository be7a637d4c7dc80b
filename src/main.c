/*
 * The program: finds the command and runs it. Everything else is in cli/ and run/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "waypost/admin/admin.h"
#include "waypost/base/version.h"
#include "waypost/run/supervisor.h"

static int run_proxy(const struct args *args)
{
    return supervisor_run(args->config, &admin_control);
}

static int run_help(const struct args *args);

static int run_version(const struct args *args)
{
    UNUSED(args);
    printf("waypost %s\n", WAYPOST_VERSION);
    return CLI_FINE;
}

static const struct option *const config_only[] = {&option_config, &option_help, NULL};
static const struct option *const check_options[] = {&option_config, &option_connect, &option_json,
                                                     &option_help, NULL};
static const struct option *const route_options[] = {
    &option_config,     &option_socket,  &option_listener, &option_sni,  &option_client,
    &option_users_file, &option_against, &option_json,     &option_help, NULL};
static const struct option *const help_only[] = {&option_help, NULL};

static const struct option *const live_options[] = {&option_config, &option_socket, &option_json,
                                                    &option_help, NULL};
static const struct option *const top_options[] = {&option_config,
                                                   &option_socket,
                                                   &option_interval,
                                                   &option_once,
                                                   &option_json,
                                                   &option_help,
                                                   NULL};
static const struct option *const who_options[] = {
    &option_config,     &option_socket, &option_of_user, &option_of_client,
    &option_of_backend, &option_json,   &option_help,    NULL};
static const struct option *const kick_options[] = {
    &option_config,    &option_socket,     &option_of_user,
    &option_of_client, &option_of_backend, &option_all,
    &option_json,      &option_help,       NULL};
static const struct option *const drain_options[] = {&option_config, &option_socket, &option_rate,
                                                     &option_json,   &option_help,   NULL};

#define USAGE_EXIT "  64  the command line is wrong\n"
#define LIVE_EXITS \
    "  0   done\n  1   refused, or it failed\n  2   no proxy can be reached\n" USAGE_EXIT

static const struct command commands[] = {
    {"run", NULL, false, NULL, config_only,
     "Runs the proxy in the foreground.\n"
     "SIGHUP loads the configuration anew, SIGTERM drains the sessions and ends.",
     "  0   ended on request\n  1   the configuration cannot be used\n  70  internal "
     "error\n" USAGE_EXIT,
     run_proxy},
    {"check", NULL, false, NULL, check_options,
     "Checks configuration, certificates and keys, and lists all that is wrong.\n"
     "With --connect, also tells which backends can be reached and used, and what they offer.",
     "  0   the configuration is good, and so are the backends\n  1   something is "
     "not\n" USAGE_EXIT,
     cli_check},
    {"route", "USER", true, NULL, route_options,
     "Explains where a user is routed: the rules tried, login name, backend.\n"
     "With --users-file and --against, lists the users whom another table would move.",
     "  0   the user is routed, or no user would move\n  1   the configuration cannot be used, or "
     "no backend is available\n  2   the user is refused\n  3   users would move\n" USAGE_EXIT,
     cli_route},
    {"status", NULL, false, NULL, live_options,
     "Shows the running proxy: its backends, sessions and configuration.", LIVE_EXITS, cli_status},
    {"top", NULL, false, NULL, top_options, "Shows again and again what its backends are doing.",
     LIVE_EXITS, cli_top},
    {"who", NULL, false, NULL, who_options, "Lists its sessions.", LIVE_EXITS, cli_who},
    {"kick", NULL, false, NULL, kick_options,
     "Ends sessions: with a BYE at the next moment the protocol allows.", LIVE_EXITS, cli_kick},
    {"reload", NULL, false, NULL, live_options,
     "Makes it load its configuration anew, and tells how that went.", LIVE_EXITS, cli_reload},
    {"down", "BACKEND", false, NULL, live_options,
     "Sends nobody to a backend any more, whatever looking at it says.", LIVE_EXITS, cli_down},
    {"up", "BACKEND", false, NULL, live_options, "Takes back what down has said.", LIVE_EXITS,
     cli_up},
    {"drain", "BACKEND", false, NULL, drain_options,
     "Sends no new users to a backend; with --rate, ends the sessions there, idle ones first.\n"
     "It goes on when this command is interrupted; another one changes the rate.",
     LIVE_EXITS, cli_drain},
    {"undrain", "BACKEND", false, NULL, live_options,
     "Sends new users to a backend again, and ends no more sessions there.", LIVE_EXITS,
     cli_undrain},
    {"move", "USER", false, "BACKEND", live_options,
     "Moves a user to another backend of his cluster: all of his sessions end first.", LIVE_EXITS,
     cli_move},
    {"hold", "USER", false, "DURATION", live_options,
     "Makes a user's logins wait, for instance 30s; 0s lets them in.", LIVE_EXITS, cli_hold},
    {"schema", "config|routes", false, NULL, help_only,
     "Prints the JSON Schema of waypost.json or routes.json.", "  0   printed\n" USAGE_EXIT,
     cli_schema},
    {"help", "COMMAND", true, NULL, help_only, "Explains a command.", "  0   printed\n" USAGE_EXIT,
     run_help},
    {"version", NULL, false, NULL, help_only, "Prints the version.", "  0   printed\n" USAGE_EXIT,
     run_version},
};

/* ----- finding the command ------------------------------------------------------------------ */

static const struct command *find_command(const char *name)
{
    const char *known[COUNT_OF(commands) + 1] = {NULL};

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        known[i] = commands[i].name;
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    }
    args_unknown("unknown command", name, known);
    return NULL;
}

static void print_commands(FILE *file)
{
    fputs("usage: waypost COMMAND [options]\n\n", file);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        const char *summary = commands[i].summary;
        fprintf(file, "  %-8s %.*s\n", commands[i].name, (int)strcspn(summary, "\n"), summary);
    }
    fputs("\nwaypost help COMMAND tells more; so do waypost(8), waypost.json(5) and "
          "routes.json(5).\n",
          file);
}

static int run_help(const struct args *args)
{
    if (args->operand == NULL) {
        print_commands(stdout);
        return CLI_FINE;
    }
    const struct command *command = find_command(args->operand);
    if (command == NULL)
        return CLI_USAGE;
    args_help(command);
    return CLI_FINE;
}

/* Options that may stand in place of a command. */
static const char *command_name(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return "version";
    return word;
}

static int run_command(int argc, char *const argv[])
{
    struct args args;

    if (argc < 2) {
        print_commands(stderr);
        return CLI_USAGE;
    }
    const struct command *command = find_command(command_name(argv[1]));
    if (command == NULL || !args_parse(command, argc - 2, argv + 2, &args))
        return CLI_USAGE;
    if (!args.help)
        return command->run(&args);
    args_help(command);
    return CLI_FINE;
}

int main(int argc, char *argv[])
{
    int status = run_command(argc, argv);

    /* An answer that did not arrive is a failure, as on a full disk. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("waypost: standard output");
        return status == CLI_FINE ? CLI_FAULTY : status;
    }
    return status;
}
