/*
 * Counters of one process, written with relaxed atomics from every worker. They only ever grow,
 * except the gauges sessions_open and sessions_relaying. Bytes are plaintext bytes relayed.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "waypost/base/reason.h"

struct metrics {
    _Atomic uint64_t sessions_accepted;
    _Atomic uint64_t sessions_open;
    _Atomic uint64_t sessions_relaying;
    _Atomic uint64_t logins_succeeded;
    _Atomic uint64_t logins_refused[REFUSAL_COUNT];
    _Atomic uint64_t sessions_ended[REASON_COUNT];
    _Atomic uint64_t bytes_to_client;
    _Atomic uint64_t bytes_to_backend;
    _Atomic uint64_t reloads_failed;
};

static inline void metric_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline void metric_sub(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_sub_explicit(counter, n, memory_order_relaxed);
}

static inline uint64_t metric_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}
