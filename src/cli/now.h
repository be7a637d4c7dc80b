/*
 * Where a login of a user would go at this moment, as far as the running proxy has told.
 */
#pragma once

#include "cli/standing.h"
#include "waypost/base/str.h"
#include "waypost/route/route.h"

struct now {
    const char *backend;       /* borrowed; NULL: to none */
    bool waits;                /* if not: it would be let in later */
    char why[LIMIT_NAME + 64]; /* if not */
};

/* The user is routed and the proxy was reached. */
void now_find(const struct standings *s, const struct conf_routes *routes,
              const struct route_decision *decision, const struct standing_home *home,
              struct now *out);
