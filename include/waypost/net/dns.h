/*
 * Names to addresses for one worker: look-ups run in libuv's thread pool and never block the loop,
 * many askers share one look-up, and answers are kept for a while. When a later look-up fails or
 * takes its time, the last good answer serves (as RFC 8767 has it for resolvers).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "waypost/base/addr.h"
#include "waypost/base/check.h"
#include "waypost/base/limits.h"
#include "waypost/base/list.h"

#define DNS_TTL_MS      30000u   /* getaddrinfo does not tell the record's own */
#define DNS_PATIENCE_MS 1000u    /* then an asker should take the last good answer */
#define DNS_FORGET_MS   3600000u /* unused names are dropped, and with them the last good answer */
#define DNS_BUCKETS     64u

struct dns {
    uv_loop_t *loop; /* borrowed */
    struct list buckets[DNS_BUCKETS];
    bool closing;
};

struct dns_answer {
    struct addr list[LIMIT_ADDRESSES]; /* port 0; families alternate (RFC 8305 section 4) */
    size_t count;
};

struct dns_entry;
struct dns_query;
/* The answer is in q->answer; `error` is NULL or says why there is none. */
typedef void dns_found(struct dns_query *q, const char *error);

/* One asker, embedded in whoever asks. */
struct dns_query {
    struct list node;        /* among the entry's waiters; unlinked when not waiting */
    struct dns_entry *entry; /* borrowed, while waiting */
    dns_found *found;
    struct dns_answer answer;
};

void dns_init(struct dns *dns, uv_loop_t *loop);
/* Cancels what can be cancelled. Nobody may be waiting. The loop stays alive until running
 * look-ups have ended; run it, then dns_fini. */
void dns_close(struct dns *dns);
void dns_fini(struct dns *dns);

/* No answer is fresh any more: the next asker looks up anew (after a reload). */
void dns_expire(struct dns *dns);

enum dns_result { DNS_ANSWER, DNS_WAIT, DNS_ERROR };
/* ANSWER: q->answer is there (a numeric host, or a fresh answer). WAIT: `found` will be called
 * once, from the loop. ERROR: memory is short or the look-up cannot be started. */
MUST_USE
enum dns_result dns_ask(struct dns *dns, const char *host, struct dns_query *q, dns_found *found);
/* Stops waiting; `found` will not be called. Harmless when not waiting. */
void dns_forget(struct dns_query *q);
/* Takes the last good answer instead of waiting on. False when there is none. */
MUST_USE
bool dns_settle(struct dns_query *q);
