/*
 * Which backend a user's session goes to: a pure function of the routing table and the query, first
 * matching rule wins (no match is a denial). Every step can be listened to, so that `waypost route`
 * explains exactly what the proxy does.
 */
#pragma once

#include "waypost/base/limits.h"
#include "waypost/base/slice.h"
#include "waypost/conf/conf.h"
#include "waypost/route/hash.h"

struct route_query {
    struct slice user;            /* as the client sent it: the identity that will be logged in */
    struct slice listener;        /* name of the listener; "" unknown */
    struct slice sni;             /* "" if none */
    const struct addr *client;    /* NULL unknown */
    uint64_t turn;                /* counts logins, for pools that take turns */
    const struct hash_load *load; /* for pools that go by it; NULL: nobody is anywhere */
};

enum route_verdict {
    ROUTE_TO,
    ROUTE_DENIED,     /* a deny rule matched */
    ROUTE_NO_MATCH,   /* no rule matched: denied as well */
    ROUTE_BAD_USER,   /* the name cannot be a user name here (empty, too long after rewriting) */
    ROUTE_UNAVAILABLE /* a look-up failed: never a default route */
};

struct route_decision {
    enum route_verdict verdict;
    char user[LIMIT_USER + 1];  /* normalised */
    char login[LIMIT_USER + 1]; /* name sent to the backend */
    const struct conf_rule *rule;
    size_t rule_index;
    const char *target;           /* name of backend or pool */
    const struct conf_pool *pool; /* NULL: a backend */
    const char *cluster;          /* in which the user must be at one backend; NULL: none */
    const struct conf_backend *candidates[LIMIT_CANDIDATES];
    size_t candidate_count;
};

/* Told for each rule that was tried. `why` is printable text. */
typedef void route_trace(void *ctx, size_t rule_index, bool matched, const char *why);

/* `trace` may be NULL. The decision borrows from `routes`. */
void route_decide(const struct conf_routes *routes, const struct route_query *query,
                  struct route_decision *out, route_trace *trace, void *ctx);
extern const char *const route_verdict_name[];
