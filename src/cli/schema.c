/*
 * `waypost schema`: prints the JSON Schema of one of the two documents.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

int cli_schema(const struct args *args)
{
    static const char *const names[] = {
        [CONF_WAYPOST_JSON] = "config", [CONF_ROUTES_JSON] = "routes", NULL};
    size_t which = 0;

    while (names[which] != NULL && strcmp(names[which], args->operand) != 0)
        which++;
    if (names[which] == NULL) {
        args_unknown("expected \"config\" or \"routes\", found", args->operand, names);
        return CLI_USAGE;
    }
    char *text = conf_schema((enum conf_document)which);
    puts(text);
    free(text);
    return CLI_FINE;
}
