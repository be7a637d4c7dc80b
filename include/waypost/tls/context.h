/*
 * All SSL_CTX of one configuration: one for the client side, one for each backend that uses TLS.
 * Built once per configuration, shared by the workers, immutable afterwards except for ticket keys.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/conf/conf.h"

struct tls_set;

/* Session ticket keys (RFC 8446 section 4.6.1), shared by all workers and kept across reloads, so
 * that a reconnect is a resumption wherever it lands. Thread-safe. */
struct tls_tickets;
/* Random keys, replaced every twelve hours, or those in `file` (NULL: none), which are used as they
 * are. The file holds 80 random bytes: name 16, HMAC-SHA-256 key 32, AES-256 key 32; a second such
 * key behind it still opens tickets but seals none. NULL with a message in `errors` on failure. */
struct tls_tickets *tls_tickets_new(const char *file, struct conf_errors *errors);
/* For a reload: seals with the keys of `from`, which were read from a file, or, where that is NULL,
 * with random ones. Random keys that it has already stay. */
void tls_tickets_follow(struct tls_tickets *tickets, const struct tls_tickets *from);
void tls_tickets_free(struct tls_tickets **tickets);

/* Loads every certificate, key, CA and pin of `conf`. On failure all findings are in `errors`
 * (certificate and key of a pair must match) and *out is untouched. `tickets` is borrowed and must
 * outlive every engine. */
MUST_USE
bool tls_set_new(const struct conf *conf, struct tls_tickets *tickets, struct tls_set **out,
                 struct conf_errors *errors);
void tls_set_free(struct tls_set **set);
/* For a thread of a pool that has loaded a set: gives back what the library keeps for the calling
 * thread until its end, which would be that of the process. It may load another one later. */
void tls_thread_rest(void);
