/*
 * What the running proxy knows of the backends of a table, and of one user, asked over its control
 * socket.
 */
#pragma once

#include "cli/json.h"
#include "waypost/admin/ask.h"
#include "waypost/conf/conf.h"
#include "waypost/route/hash.h"
#include "waypost/route/health.h"

/* Of one backend. */
struct standing {
    bool known;
    char state[16];       /* "up", "draining", "down" */
    char by[16];          /* who says that it is down; "" */
    char why[HEALTH_WHY]; /* its last failure; "" */
    uint64_t since;       /* ms in this state */
    uint64_t sessions, max_sessions;
};

struct standings {
    struct ask *ask;       /* owned; NULL: no proxy was reached */
    struct standing *list; /* owned; by index in the table; NULL: the same */
    char unknown[512];     /* why not */
    struct hash_load load; /* for choices by sessions, while this is where it is */
};

/* Asks at `socket`; NULL: there is none. `out` can be used whatever comes of it, until
 * standings_fini. */
void standings_ask(const struct conf *conf, const char *socket, struct standings *out);
void standings_fini(struct standings *s);

/* NULL: nothing is known of it. */
const struct standing *standing_of(const struct standings *s, const struct conf_backend *b);
/* Whether a user who is not there yet would be let in, and one more login of a user who is. */
bool standing_admits(const struct standing *s);
bool standing_serves(const struct standing *s);

/* Where one user is. */
struct standing_home {
    char backend[LIMIT_NAME + 1];   /* "": nowhere */
    char moving_to[LIMIT_NAME + 1]; /* "": he is not being moved */
    bool pinned;                    /* the operator wanted him there */
    uint64_t logins, sessions;      /* that are there now; none: he was there a while ago */
    uint64_t held;                  /* ms for which his logins still wait */
};
/* Asks for a login name; `cluster` may be NULL. Without an answer the home is nowhere. */
void standings_ask_home(struct standings *s, const char *cluster, const char *login,
                        struct standing_home *out);

void standing_print(const struct standing *s);
void standing_json(const struct standing *s, struct json_out *out);
