/*
 * Command lines: a table of commands and options that parses, suggests and writes the help.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "waypost/base/check.h"

/* Exit statuses of all commands; the last is EX_USAGE of sysexits(3). */
enum { CLI_FINE = 0, CLI_FAULTY = 1, CLI_DENIED = 2, CLI_ALONE = 2, CLI_MOVES = 3, CLI_USAGE = 64 };

struct args {
    const char *config;
    const char *listener, *sni, *client; /* NULL: not given */
    const char *users_file, *against;    /* NULL: not given */
    const char *operand, *second;        /* NULL: not given */
    const char *socket, *user, *backend; /* NULL: not given */
    const char *rate, *interval;         /* NULL: not given */
    bool json, help, connect, all, once;
};

struct option {
    char letter; /* '\0': none */
    const char *name;
    const char *value; /* what to call it; NULL: a flag */
    size_t offset;     /* in struct args: of a const char *, or of a bool for a flag */
    const char *help;
};

struct command {
    const char *name;
    const char *operand; /* what to call it; NULL: takes none */
    bool operand_optional;
    const char *second;                  /* the one behind it; NULL: takes none */
    const struct option *const *options; /* NULL-terminated */
    const char *summary;
    const char *exits; /* lines for the help: its exit statuses */
    int (*run)(const struct args *args);
};

extern const struct option option_config, option_json, option_connect, option_listener, option_sni,
    option_client, option_users_file, option_against, option_help, option_socket, option_of_user,
    option_of_client, option_of_backend, option_all, option_rate, option_once, option_interval;

/* The arguments behind the command's name. False: said on standard error what is wrong. */
MUST_USE
bool args_parse(const struct command *command, int argc, char *const argv[], struct args *out);
/* Writes the command's help to standard output. */
void args_help(const struct command *command);
/* Says `message "word"` and the nearest of `known` on standard error. */
void args_unknown(const char *message, const char *word, const char *const *known);
