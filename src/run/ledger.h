/*
 * The counters of every backend that was ever configured, found by its name, so that they go on
 * counting through reloads. Opened and read by one thread, counted in by all.
 */
#pragma once

#include <stddef.h>

#include "waypost/base/check.h"
#include "waypost/base/metrics.h"
#include "waypost/conf/conf.h"

struct ledger {
    struct ledger_entry {
        char *name; /* owned */
        struct backend_metrics metrics;
    } * *entries; /* owned, each too, because sessions keep pointers to them */
    size_t count, room;
    struct backend_metrics rest; /* of backends beyond LIMIT_COUNTED, or beyond memory */
};

/* An array of where each backend of `conf` is counted, by its index; the caller's to free, what it
 * points at is the ledger's. NULL when memory is short. A zeroed ledger is an empty one. */
MUST_USE
struct backend_metrics **ledger_open(struct ledger *ledger, const struct conf *conf);
/* NULL: not counted, or together with others. */
struct backend_metrics *ledger_find(const struct ledger *ledger, const char *name);
/* Nobody counts any more. */
void ledger_fini(struct ledger *ledger);
