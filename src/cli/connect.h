/*
 * `waypost check --connect`: a look at every backend, without logging in.
 */
#pragma once

#include "cli/json.h"
#include "waypost/base/check.h"
#include "waypost/conf/conf.h"
#include "waypost/tls/context.h"

struct look;
struct looks {
    struct look *list; /* owned; one for each backend */
    size_t count;
};

/* Looks at all backends, side by side; takes no longer than a login would. False when memory is
 * short; otherwise looks_fini is owed. */
MUST_USE
bool looks_take(struct looks *looks, const struct conf *conf, struct tls_set *tls);
void looks_fini(struct looks *looks);
/* Whether users of every backend can log in. */
bool looks_good(const struct looks *looks);
/* A few lines for each backend, on standard output. */
void looks_print(const struct looks *looks);
/* The member "backends" of the document. */
void looks_json(const struct looks *looks, struct json_out *out);
