/*
 * One configuration in force: the parsed files, the TLS contexts made from them and how to log.
 * Immutable and reference-counted; a connection keeps the one it was accepted under.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "run/fleet.h"
#include "run/ledger.h"
#include "run/lore.h"
#include "waypost/base/check.h"
#include "waypost/base/log.h"
#include "waypost/conf/conf.h"
#include "waypost/route/hash.h"
#include "waypost/tls/context.h"

struct generation {
    atomic_uint references;
    struct conf *conf;   /* one reference */
    struct tls_set *tls; /* owned */
    /* Owned: those of its file, until it is in force; NULL: it has none. */
    struct tls_tickets *tickets;
    struct lore lore; /* of the backends of this configuration */
    /* Owned array: where each of them is counted; NULL: nowhere. */
    struct backend_metrics **counters;
    /* Owned array: what is known of each of them. */
    struct fleet_backend **fleet;
    struct hash_load load; /* how many sessions its backends have */
    enum log_level level;  /* copies, for struct log */
    enum log_format format;
    uint64_t sessions; /* limits.sessions, or what the descriptors suffice for; before use only */
};

/* Loads everything or nothing. On failure `errors` holds all findings and *out is untouched.
 * `tickets` is made by the first load and kept ever after, so that *tickets outlives all
 * generations; it is the caller's to free. What later loads read of keys waits for
 * generation_rekey. `files` (NULL: nobody asks) gets all that it was made from, or failed for. */
MUST_USE
bool generation_load(const char *path, struct tls_tickets **tickets, struct conf_files *files,
                     struct generation **out, struct conf_errors *errors);
/* Before use: makes room for its sessions, two descriptors each. With fewer than that the cap on
 * sessions is lowered, because running out of descriptors is worse than turning somebody away; an
 * operator reads about it in `log`. */
void generation_fit(struct generation *generation, unsigned workers, const struct log *log);
/* Before use: its backends are counted in `ledger`, which outlives it. Short of memory they are not
 * counted. */
void generation_count(struct generation *generation, struct ledger *ledger);
/* Before use: its backends belong to `fleet`, which outlives it. False when memory is short. */
MUST_USE
bool generation_join(struct generation *generation, struct fleet *fleet);
/* When it comes into force: `tickets` are sealed as its configuration says. */
void generation_rekey(struct generation *generation, struct tls_tickets *tickets);
/* Logs what kept a configuration from being loaded. */
void generation_complain(const struct conf_errors *errors, const struct log *log);
struct generation *generation_hold(struct generation *generation);
/* Drops one reference and clears the pointer. From any thread. */
void generation_release(struct generation **generation);
