/*
 * What sessions and probes have seen of the backends of one configuration, and what follows from it
 * for clients that have not logged in. Shared by all threads; each call holds its lock for a copy.
 */
#pragma once

#include <uv.h>

#include "waypost/base/check.h"
#include "waypost/base/log.h"
#include "waypost/route/advert.h"
#include "waypost/session/lore.h"

/* What clients of one listener are told. */
struct lore_door {
    bool *reached;        /* owned; for each backend whether a rule leads there */
    struct advert advert; /* under the lock */
};

struct lore {
    struct session_lore view; /* for sessions; valid as long as this is */
    const struct conf *conf;  /* borrowed */
    struct log log;
    struct lore_door *doors; /* owned; of the listeners, by their order */
    size_t door_count;
    uv_mutex_t lock;
    struct caps *before, *after; /* owned, one for each backend; under the lock */
};

/* Nothing is known, nothing is logged. `conf` must outlive it. False when memory is short. */
MUST_USE
bool lore_init(struct lore *lore, const struct conf *conf);
void lore_fini(struct lore *lore);
/* Before another thread knows it: where changes are logged, at the level of the configuration. */
void lore_log_to(struct lore *lore, log_sink *sink, void *ctx);
/* Takes over what `from` knows of backends that are still the same server, so that a reload takes
 * nothing back that clients were told. */
void lore_inherit(struct lore *lore, struct lore *from);
