/*
 * Parses the options of a command and writes its help, both from the same rows. Owns nothing; all
 * texts are the caller's arguments or constants. Options may stand before and behind the operand;
 * `--` ends them.
 */
#include "cli/args.h"

#include <stdio.h>
#include <string.h>

#include "waypost/base/slice.h"
#include "waypost/conf/suggest.h"

#define DEFAULT_CONFIG "/etc/waypost/waypost.json"
#define OPTIONS_MAX    12u

const struct option option_config = {'c', "config", "FILE", offsetof(struct args, config),
                                     "the configuration, by default " DEFAULT_CONFIG};
const struct option option_json = {'\0', "json", NULL, offsetof(struct args, json),
                                   "answer in JSON"};
const struct option option_connect = {'\0', "connect", NULL, offsetof(struct args, connect),
                                      "look at every backend, without logging in"};
const struct option option_listener = {'\0', "listener", "NAME", offsetof(struct args, listener),
                                       "as if connected to this listener"};
const struct option option_sni = {'\0', "sni", "NAME", offsetof(struct args, sni),
                                  "as if this server name had been asked for"};
const struct option option_client = {'\0', "client", "ADDRESS", offsetof(struct args, client),
                                     "as if connected from this IP address"};
const struct option option_users_file = {'\0', "users-file", "FILE",
                                         offsetof(struct args, users_file),
                                         "users to compare two tables for, one on a line"};
const struct option option_against = {'\0', "against", "TABLE", offsetof(struct args, against),
                                      "another routing table to compare with"};
const struct option option_socket = {'\0', "socket", "PATH", offsetof(struct args, socket),
                                     "the control socket, instead of the configuration's"};
const struct option option_of_user = {'\0', "user", "NAME", offsetof(struct args, user),
                                      "only this user's; NAME* and *NAME are parts of names"};
const struct option option_of_client = {'\0', "client", "ADDRESS", offsetof(struct args, client),
                                        "only from this IP address or network (CIDR)"};
const struct option option_of_backend = {'\0', "backend", "NAME", offsetof(struct args, backend),
                                         "only at this backend"};
const struct option option_all = {'\0', "all", NULL, offsetof(struct args, all), "everybody"};
const struct option option_rate = {'\0', "rate", "N", offsetof(struct args, rate),
                                   "sessions to end in a second"};
const struct option option_once = {'\0', "once", NULL, offsetof(struct args, once),
                                   "show it once and end"};
const struct option option_interval = {'\0', "interval", "SECONDS", offsetof(struct args, interval),
                                       "between two looks, 1 to 30, by default 2"};
const struct option option_help = {'h', "help", NULL, offsetof(struct args, help), "this help"};

/* ----- complaints --------------------------------------------------------------------------- */

void args_unknown(const char *message, const char *word, const char *const *known)
{
    char storage[128];
    struct str hint = STR_ON(storage);
    struct suggest suggest = suggest_for(slice_str(word));

    for (; *known != NULL; known++)
        suggest_offer(&suggest, *known);
    suggest_add(&suggest, &hint);
    fprintf(stderr, "waypost: %s \"%s\"%s\n", message, word, storage);
}

/* Compares without the dashes, which are never what was mistyped. */
static void unknown_option(const struct command *command, const char *arg)
{
    const char *name = arg + strspn(arg, "-");
    const char *known[OPTIONS_MAX + 1] = {NULL};

    for (size_t i = 0; i < OPTIONS_MAX && command->options[i] != NULL; i++)
        known[i] = command->options[i]->name;
    args_unknown("unknown option", name, known);
}

static bool complain(const struct command *command, const char *problem, const char *what)
{
    fprintf(stderr, "waypost %s: %s %s; see waypost %s --help\n", command->name, problem, what,
            command->name);
    return false;
}

/* ----- parsing ------------------------------------------------------------------------------ */

struct parse {
    const struct command *command;
    char *const *argv;
    int argc, at;
    struct args *out;
};

/* `--name`, `--name=value`, `-x` and `-xvalue`; *value is NULL unless attached. */
static const struct option *find_option(const struct command *command, const char *arg,
                                        const char **value)
{
    struct slice rest = slice_str(arg + 2);
    struct slice name = slice_cut(&rest, '=');

    for (const struct option *const *option = command->options; *option != NULL; option++) {
        if (arg[1] == '-' && slice_eq(name, slice_str((*option)->name))) {
            *value = arg[2 + name.len] == '=' ? rest.ptr : NULL;
            return *option;
        }
        if (arg[1] != '-' && arg[1] == (*option)->letter) {
            *value = arg[2] == '\0' ? NULL : arg + 2;
            return *option;
        }
    }
    return NULL;
}

static void store(struct args *out, const struct option *option, const char *value)
{
    bool given = true;

    if (option->value == NULL)
        memcpy((char *)out + option->offset, &given, sizeof(given));
    else
        memcpy((char *)out + option->offset, &value, sizeof(value));
}

static bool parse_option(struct parse *p, const char *arg)
{
    const char *value = NULL;
    const struct option *option = find_option(p->command, arg, &value);

    if (option == NULL) {
        unknown_option(p->command, arg);
        return false;
    }
    if (option->value == NULL && value != NULL)
        return complain(p->command, "no value belongs to", arg);
    if (option->value != NULL && value == NULL) {
        if (p->at == p->argc)
            return complain(p->command, "a value is missing behind", arg);
        value = p->argv[p->at++];
    }
    store(p->out, option, value);
    return true;
}

static bool parse_operand(struct parse *p, const char *arg)
{
    if (p->command->operand != NULL && p->out->operand == NULL)
        p->out->operand = arg;
    else if (p->command->second != NULL && p->out->second == NULL)
        p->out->second = arg;
    else
        return complain(p->command, "did not expect", arg);
    return true;
}

bool args_parse(const struct command *command, int argc, char *const argv[], struct args *out)
{
    struct args args = {.config = DEFAULT_CONFIG};
    struct parse p = {.command = command, .argv = argv, .argc = argc, .out = &args};
    bool options = true;

    while (p.at < argc) {
        const char *arg = argv[p.at++];
        if (options && strcmp(arg, "--") == 0)
            options = false;
        else if (options && arg[0] == '-' && arg[1] != '\0' ? !parse_option(&p, arg)
                                                            : !parse_operand(&p, arg))
            return false;
    }
    if (command->operand != NULL && !command->operand_optional && args.operand == NULL &&
        !args.help)
        return complain(command, "missing", command->operand);
    if (command->second != NULL && args.second == NULL && !args.help)
        return complain(command, "missing", command->second);
    *out = args;
    return true;
}

/* ----- help --------------------------------------------------------------------------------- */

static void print_option(const struct option *option)
{
    char left[40];
    struct str text = STR_ON(left);

    if (option->letter != '\0')
        str_addf(&text, "-%c, ", option->letter);
    str_addf(&text, "--%s%s%s", option->name, option->value == NULL ? "" : " ",
             option->value == NULL ? "" : option->value);
    printf("  %-20s  %s\n", left, option->help);
}

void args_help(const struct command *command)
{
    bool options = command->options[1] != NULL;

    printf("usage: waypost %s%s", command->name, options ? " [options]" : "");
    if (command->operand != NULL)
        printf(command->operand_optional ? " [%s]" : " %s", command->operand);
    if (command->second != NULL)
        printf(" %s", command->second);
    printf("\n\n%s\n\n", command->summary);
    for (const struct option *const *option = command->options; *option != NULL; option++)
        print_option(*option);
    printf("\nExit status:\n%s", command->exits);
}
