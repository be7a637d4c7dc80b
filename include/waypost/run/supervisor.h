/*
 * The running proxy: what `waypost run` does.
 */
#pragma once

#include <stdbool.h>

#include "waypost/base/str.h"

struct supervisor;

/* Who lets operators look at and act on the running proxy, from above this layer. All are called on
 * the supervisor's thread. */
struct supervisor_admin {
    /* The configuration is loaded and privileges are dropped, workers do not run yet. False, with
     * the reason: the start fails. */
    bool (*open)(struct supervisor *s, struct str *why);
    /* Another configuration is in force. */
    void (*follow)(struct supervisor *s);
    /* The workers have ended; the loop has turns left to close handles in. */
    void (*close)(struct supervisor *s);
    void (*fini)(struct supervisor *s);
};

/* Exit codes: sysexits(3) has the third. */
enum { SUPERVISOR_CLEAN = 0, SUPERVISOR_CONFIG = 1, SUPERVISOR_INTERNAL = 70 };

/* Runs until SIGTERM or SIGINT, then drains: BYE to everybody, at most timeouts.drain; a second
 * signal ends at once. SIGHUP loads the configuration anew and opens the log file again. Before the
 * first connection all findings go to standard error, and the result is SUPERVISOR_CONFIG.
 * Certificates, keys and routing tables must be readable by the run user, because a reload reads
 * them as that user. May be called once in a process. `admin` may be
 * NULL. */
int supervisor_run(const char *conf_path, const struct supervisor_admin *admin);
