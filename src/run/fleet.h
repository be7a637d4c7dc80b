/*
 * The health and the sessions of every backend that was ever configured, found by its name, shared
 * by all threads and through all reloads. Each call holds one lock for a moment, except where it
 * says otherwise. `now` is the time of a loop, ms.
 */
#pragma once

#include <uv.h>

#include "waypost/base/check.h"
#include "waypost/base/log.h"
#include "waypost/conf/conf.h"
#include "waypost/route/health.h"

#define FLEET_NEVER UINT64_MAX

/* One backend. It stays where it is until fleet_fini. */
struct fleet_backend;

/* A backend has died, or lives again. Called without the lock, by the thread that saw it. */
typedef void fleet_turned(void *ctx);

struct fleet {
    uv_mutex_t lock;
    struct log log; /* level and format are those of the latest configuration */
    fleet_turned *turned;
    void *ctx;                     /* borrowed */
    struct fleet_backend **sorted; /* owned, each too; by name */
    size_t count;
    struct fleet_backend *retired; /* owned list: sessions and leases may be there still */
};

/* Logs to a sink that must be thread-safe; NULL: nowhere. `turned` may be NULL. False when memory
 * is short. */
MUST_USE
bool fleet_init(struct fleet *fleet, log_sink *sink, void *sink_ctx, fleet_turned *turned,
                void *ctx);
/* Nobody knows any of its backends any more. */
void fleet_fini(struct fleet *fleet);

/* An array of the backends of `conf`, by their index there; the caller's to free. What is known of
 * a name is kept; at another address it is another backend, for which only the operator's word
 * still holds. NULL when memory is short, and then nothing has changed. */
MUST_USE
struct fleet_backend **fleet_open(struct fleet *fleet, const struct conf *conf);

/* --- for sessions ----------------------------------------------------------------------------- */

/* Whether a user may be sent there who is not there yet: neither down nor draining, and not full.
 * Where nobody probes, this may let a login through as the one trial of a backend that is down. */
MUST_USE
bool fleet_admits(struct fleet *fleet, struct fleet_backend *b, const struct conf_backend *conf,
                  uint64_t now);
/* The same for one more login of a user who is there, whom draining and max_sessions do not touch.
 */
MUST_USE
bool fleet_serves(struct fleet *fleet, struct fleet_backend *b, uint64_t now);
/* A login or a session is there, or is not any more. Takes no lock. */
void fleet_enter(struct fleet_backend *b);
void fleet_leave(struct fleet_backend *b);
/* A login is about to begin there, if fewer than `most` are under way; 0: however many. Takes no
 * lock. */
MUST_USE
bool fleet_begin_login(struct fleet_backend *b, unsigned most);
void fleet_end_login(struct fleet_backend *b);
/* Whether it is down by probes or logins and, as far as they could see, not there at all: then so
 * are its sessions. One that refuses logins, in whatever words, may well serve them. No lock. */
bool fleet_is_dead(const struct fleet_backend *b);
/* How many are. Takes no lock. */
uint64_t fleet_sessions(const struct fleet_backend *b);
/* A login got a greeting, and TLS where that is configured. */
void fleet_login_reached(struct fleet *fleet, struct fleet_backend *b, uint64_t now);
/* It did not, for a reason of the backend's. `silent`: nothing was heard of it in time. `began`:
 * when it was admitted or began to connect. */
void fleet_login_failed(struct fleet *fleet, struct fleet_backend *b, const char *why, bool silent,
                        uint64_t began, uint64_t now);

/* --- for the prober --------------------------------------------------------------------------- */

/* `why` and `silent` are read only when it is not up. */
void fleet_probed(struct fleet *fleet, struct fleet_backend *b, bool up, const char *why,
                  bool silent, uint64_t now);
/* See health_is_unsettled. */
bool fleet_unsettled(struct fleet *fleet, const struct fleet_backend *b);

/* --- for the operator, by name ---------------------------------------------------------------- */

/* NULL: there never was one of that name. */
struct fleet_backend *fleet_find(struct fleet *fleet, const char *name);
const char *fleet_name(const struct fleet_backend *b);
void fleet_set_down(struct fleet *fleet, struct fleet_backend *b, bool down);
void fleet_set_draining(struct fleet *fleet, struct fleet_backend *b, bool draining);

struct fleet_view {
    const char *state;             /* "up", "draining" or "down" */
    const char *by;                /* down: "probe", "logins" or "operator"; else "" */
    char why[HEALTH_WHY];          /* the latest failure seen, also when it is up again */
    uint64_t since;                /* ms in this state */
    bool configured;               /* in the configuration in force */
    bool set_down, draining;       /* by the operator */
    uint64_t sessions;             /* there now */
    uint64_t max_sessions;         /* 0: no limit */
    unsigned logins_failed;        /* in a row */
    unsigned probes_contradicting; /* in a row: failed while up, succeeded while down */
    uint64_t probed;               /* ms since the last probe ended; FLEET_NEVER */
};

void fleet_look(struct fleet *fleet, const struct fleet_backend *b, uint64_t now,
                struct fleet_view *out);
/* Visits all in the order of their names, without the lock; not during a fleet_open. */
void fleet_each(struct fleet *fleet, void (*visit)(void *ctx, struct fleet_backend *b), void *ctx);
