/*
 * Users with a route of their own: a table of normalised names, compact enough for millions.
 * Immutable once its configuration is loaded.
 */
#pragma once

#include "waypost/conf/conf.h"

struct usermap_hit {
    const struct conf_target *target; /* borrowed from the routing table */
    struct slice login_as;            /* template, borrowed; empty: the normalised name */
};

MUST_USE
bool usermap_find(const struct conf_usermap *map, struct slice user, struct usermap_hit *out);
/* Whether any user goes to `target`, which is one of the routing table's. */
bool usermap_names(const struct conf_usermap *map, const struct conf_target *target);
size_t usermap_count(const struct conf_usermap *map);
/* Path of the users file; NULL when the users stand in the routing table. */
const char *usermap_source(const struct conf_usermap *map);
