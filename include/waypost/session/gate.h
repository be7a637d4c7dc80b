/*
 * Who may come in. The shell counts connections, sessions and wrong passwords for all workers; the
 * core asks at each step of a login. Addresses that the configuration trusts, and load balancers
 * that speak for nobody, are not counted by address.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/addr.h"
#include "waypost/base/reason.h"
#include "waypost/base/slice.h"
#include "waypost/conf/conf.h"

/* What one connection holds in the tables. Zeroed: nothing. The gate's own but for `exempt`. */
struct gate_pass {
    bool exempt;            /* no limit of an address and no penalty applies; set before arrive */
    struct addr from;       /* for the log */
    uint64_t address, user; /* keys */
    /* Positions in the tables, 0 for none: a connection without login from the address; sessions
     * of the user, of the address, and of both together. */
    uint32_t early, of_user, of_address, of_both;
};

/* Time is monotonic milliseconds, limits are those of `conf`. Each function gets `ctx` first and
 * may be called from any thread. LIMITED_none is yes; otherwise nothing was counted, and the gate
 * says so in the log, now and then. */
struct session_gate {
    void *ctx; /* borrowed */
    /* A connection from `address`, before anything is done for it. */
    enum limited (*arrive)(void *ctx, const struct conf *conf, const struct addr *address,
                           struct gate_pass *pass, uint64_t now);
    /* Credentials were sent, nobody has looked at them yet. */
    enum limited (*attempt)(void *ctx, const struct conf *conf, const struct gate_pass *pass,
                            uint64_t now);
    /* They were wrong. Returns for how long the answer is to be held back. `secret` may be empty:
     * then no repetition is recognised. Neither is kept. */
    uint64_t (*failed)(void *ctx, const struct conf *conf, const struct gate_pass *pass,
                       struct slice user, struct slice secret, uint64_t now);
    /* The backend took them: forgives the address, and says whether a session of `user`, by its
     * normalised name, may begin. Yes makes the connection one with a login. */
    enum limited (*admit)(void *ctx, const struct conf *conf, struct slice user,
                          struct gate_pass *pass, uint64_t now);
    /* Gives back whatever the pass holds; harmless when that is nothing. */
    void (*leave)(void *ctx, struct gate_pass *pass, uint64_t now);
};
