/*
 * What is known of the backends beyond the configuration: the capabilities they showed to earlier
 * sessions and to probes. The shell keeps it for all sessions; the core only notes and asks.
 */
#pragma once

#include <stdbool.h>

#include "waypost/base/str.h"
#include "waypost/conf/conf.h"
#include "waypost/imap/caps.h"

/* What Waypost itself can do before login, whatever stands behind it. */
#define SESSION_CAPABILITIES "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE"

/* When a backend showed a list of capabilities. */
enum lore_when { LORE_BEFORE_LOGIN, LORE_AFTER_LOGIN };

/* What sessions and probes have seen of the backends, kept by the shell for all of them. Each
 * function gets `ctx` first. */
struct session_lore {
    void *ctx; /* borrowed */
    /* Remembers what `backend` showed on a connection as safe as its TLS mode makes it. */
    void (*note)(void *ctx, const struct conf_backend *backend, enum lore_when when,
                 struct slice words);
    /* Copies what `backend` last showed before login; false when nothing is known. */
    bool (*recall)(void *ctx, const struct conf_backend *backend, struct caps *out);
    /* What a client of `listener`, one of the same configuration, may be told before login: adds
     * words without AUTH= to `words` (unless NULL) and clears the mechanisms that not every backend
     * it can reach takes. */
    void (*advertise)(void *ctx, const struct conf_listener *listener, struct str *words,
                      bool mechanisms[CONF_MECH_COUNT]);
};
