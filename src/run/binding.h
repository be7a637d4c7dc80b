/*
 * The listening sockets of all workers, bound at start-up and kept for the life of the process,
 * with the configuration they were bound under: a reload changes neither.
 */
#pragma once

#include <stddef.h>

#include "waypost/base/check.h"
#include "waypost/base/str.h"
#include "waypost/conf/conf.h"

struct binding {
    struct conf_listener conf; /* owned copy */
    struct addr address;       /* as bound: with the real port where 0 was asked for */
    int *fds;                  /* owned: one descriptor for each worker; -1 once taken */
};

struct bindings {
    struct binding *list; /* owned */
    size_t count;
    unsigned workers;
};

/* Binds every listener for every worker. On failure `why` names the listener and nothing stays
 * open. */
MUST_USE
bool bindings_open(struct bindings *b, const struct conf *conf, unsigned workers, struct str *why);
/* The descriptor of a listener for one worker; it is the caller's from here on. */
int bindings_take(struct bindings *b, size_t listener, unsigned worker);
/* True when `conf` would bind or treat listeners in another way. */
bool bindings_differ(const struct bindings *b, const struct conf *conf);
/* Closes what nobody has taken. */
void bindings_close(struct bindings *b);
