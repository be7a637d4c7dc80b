/*
 * Counters of one process and of each backend, written with relaxed atomics from every worker. They
 * only ever grow, except the gauges sessions_open, sessions_early (nobody has logged in yet) and
 * sessions_relaying. Bytes are plaintext bytes
 * relayed.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "waypost/base/reason.h"
#include "waypost/base/verb.h"

struct metrics {
    _Atomic uint64_t sessions_accepted;
    _Atomic uint64_t sessions_open;
    _Atomic uint64_t sessions_early;
    _Atomic uint64_t sessions_relaying;
    _Atomic uint64_t logins_succeeded;
    _Atomic uint64_t logins_refused[REFUSAL_COUNT];
    _Atomic uint64_t sessions_ended[REASON_COUNT];
    _Atomic uint64_t limited[LIMITED_COUNT]; /* connections and logins that a limit stopped */
    _Atomic uint64_t bytes_to_client;
    _Atomic uint64_t bytes_to_backend;
    _Atomic uint64_t reloads_failed;
    _Atomic uint64_t last_reload_successful; /* 1 or 0; the start counts as the first */
    _Atomic uint64_t last_reload_at;         /* when it ended: Unix time in seconds; 0: not yet */
};

/* Latencies of at most latency_bound[i] ms are in bucket i, longer ones in the last. */
#define LATENCY_BUCKETS 16u
extern const uint32_t latency_bound[LATENCY_BUCKETS - 1];

/* One command at one backend. */
struct command_metrics {
    _Atomic uint64_t ok, no, bad;
    /* Of those whose latency is known and a latency: not of IDLE. */
    _Atomic uint64_t latency[LATENCY_BUCKETS];
    _Atomic uint64_t latency_sum; /* ms */
};

struct backend_metrics {
    _Atomic uint64_t logins_succeeded;
    _Atomic uint64_t logins_refused;  /* it answered, and not with OK */
    _Atomic uint64_t attempts_failed; /* unreachable, unverified, silent, or odd before the login */
    _Atomic uint64_t bytes_to_client;
    _Atomic uint64_t bytes_to_backend;
    struct command_metrics commands[VERB_COUNT];
};

void latency_add(struct command_metrics *command, uint32_t ms);
/* The bound that `percent` (1 to 100) of the latencies do not exceed: that of their bucket, so
 * the truth is between it and the next smaller. The largest bound also stands for all above. 0
 * when there are none. */
uint32_t latency_quantile(const struct command_metrics *command, unsigned percent);

static inline void metric_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline void metric_sub(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_sub_explicit(counter, n, memory_order_relaxed);
}

/* For what goes up and down by itself; one thread sets it. */
static inline void metric_set(_Atomic uint64_t *gauge, uint64_t value)
{
    atomic_store_explicit(gauge, value, memory_order_relaxed);
}

static inline uint64_t metric_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}
