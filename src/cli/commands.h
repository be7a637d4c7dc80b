/*
 * The commands that end by themselves. Each returns an exit status of cli/args.h.
 */
#pragma once

#include "cli/args.h"
#include "waypost/conf/conf.h"
#include "waypost/route/route.h"

int cli_check(const struct args *args);
int cli_route(const struct args *args);
int cli_schema(const struct args *args);

/* To the running proxy. */
int cli_status(const struct args *args);
int cli_top(const struct args *args);
int cli_who(const struct args *args);
int cli_kick(const struct args *args);
int cli_reload(const struct args *args);
int cli_down(const struct args *args);
int cli_up(const struct args *args);
int cli_drain(const struct args *args);
int cli_undrain(const struct args *args);
int cli_move(const struct args *args);
int cli_hold(const struct args *args);

/* Where the users of a file would move if another routing table came into force. */
int cli_moves(const struct conf *now, const struct args *args);
/* What the options say about the connection; false, with the reason on standard error, if it is
 * not possible. The query borrows from `args` and *client. */
MUST_USE
bool cli_query(const struct conf *conf, const struct args *args, struct addr *client,
               struct route_query *out);
/* Writes text that may hold anything; what is no text is replaced by "?". */
void cli_print_foreign(struct slice text);
/* Writes findings to standard error, as the compiler would. */
void cli_complain(const struct conf_errors *errors);
