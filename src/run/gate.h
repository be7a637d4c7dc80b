/*
 * The limits of users and addresses for all workers, and through all reloads. What is counted lies
 * in shards, each under its own lock, which is held for a few table look-ups and nothing else.
 */
#pragma once

#include <stdatomic.h>
#include <uv.h>

#include "waypost/base/log.h"
#include "waypost/base/metrics.h"
#include "waypost/limit/crowd.h"
#include "waypost/limit/key.h"
#include "waypost/limit/penalty.h"
#include "waypost/session/gate.h"

#define GATE_SHARDS 16u
/* At most one line in so many ms for each limit. */
#define GATE_LOG_EVERY_MS 10000u

struct gate {
    struct session_gate view; /* for sessions; valid as long as this is */
    log_sink *sink;           /* borrowed; NULL: nothing is logged */
    void *sink_ctx;
    struct metrics *metrics;   /* borrowed */
    struct limit_keys keys;    /* of the tables */
    struct limit_keys secrets; /* of fingerprints */
    atomic_bool overflowed;    /* it was said that counts do not fit */
    struct gate_shard {
        uv_mutex_t lock;
        struct crowd crowd;
        struct penalties penalties;
    } shards[GATE_SHARDS];
    uv_mutex_t news_lock;
    struct gate_news { /* what is to be logged of those whom a limit has stopped */
        bool spoke;
        uint64_t quiet_until;
        uint64_t times; /* since the last line */
    } news[LIMITED_COUNT];
};

/* Room for so many sessions at the same time; it is no limit, but beyond it some are not counted.
 * Logs, as the configuration of the caller says, to a sink that must be thread-safe. False when
 * memory or randomness is short. */
MUST_USE
bool gate_init(struct gate *g, uint64_t sessions, struct metrics *metrics, log_sink *sink,
               void *sink_ctx);
/* Nobody holds anything any more. */
void gate_fini(struct gate *g);
