/*
 * Where finished log lines go: standard error, a file or syslog. Thread-safe: one write(2) a line,
 * and a file is exchanged beneath its descriptor number.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "waypost/base/check.h"
#include "waypost/base/log.h"

struct logger {
    int fd;             /* owned; the same number for life */
    atomic_bool syslog; /* lines go to syslog(3) instead */
};

/* `to` is "stderr", "syslog" or a path (created with mode 0640, appended to). The result is 0 or an
 * errno value; then nothing is open. */
MUST_USE
int logger_open(struct logger *logger, const char *to);
/* The same for a running logger; on failure it goes on as it was. For log rotation. */
MUST_USE
int logger_reopen(struct logger *logger, const char *to);
void logger_close(struct logger *logger);
/* A log_sink; ctx is the struct logger. Puts RFC 3339 time (UTC, ms) and level in front. */
void logger_sink(void *ctx, enum log_level level, struct slice line);
