/*
 * The listening sockets of all workers for one configuration: bound before anybody is told of it,
 * and kept from the configuration before it wherever the address is the same.
 */
#pragma once

#include <stddef.h>

#include "waypost/base/check.h"
#include "waypost/base/log.h"
#include "waypost/conf/conf.h"

#define BINDING_NEW SIZE_MAX

struct binding {
    const struct conf_listener *conf; /* borrowed: the listener of the same index there */
    struct addr address;              /* as bound: with the real port where 0 was asked for */
    size_t kept; /* its index in the bindings before; BINDING_NEW: bound just now */
    int *fds;    /* owned; of a new one for each worker, -1 once taken; NULL: kept */
};

struct bindings {
    struct binding *list; /* owned */
    size_t count;
    unsigned workers;
};

/* Binds what `before` does not have; zeroed ones have nothing. On failure `errors` names every
 * listener that cannot be bound, and nothing new stays open. `conf` must outlive *out. */
MUST_USE
bool bindings_follow(const struct bindings *before, const struct conf *conf, unsigned workers,
                     struct bindings *out, struct conf_errors *errors);
/* The descriptor of a new listener for one worker; it is the caller's from here on. */
int bindings_take(struct bindings *b, size_t listener, unsigned worker);
/* Logs which listeners `after` has and `before` has not, and the other way round. */
void bindings_tell(const struct bindings *before, const struct bindings *after,
                   const struct log *log);
/* Frees it, and closes what nobody has taken. */
void bindings_close(struct bindings *b);
