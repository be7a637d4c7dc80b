/*
 * The commands that end by themselves. Each returns an exit status of cli/args.h.
 */
#pragma once

#include "cli/args.h"
#include "waypost/conf/conf.h"

int cli_check(const struct args *args);
int cli_route(const struct args *args);
int cli_schema(const struct args *args);

/* Writes findings to standard error, as the compiler would. */
void cli_complain(const struct conf_errors *errors);
