/*
 * One structured log line: an event name and key=value fields, as text or JSON.
 *
 *     struct log_line line;
 *     if (log_begin(&line, log, LEVEL_INFO, "login")) {
 *         log_text(&line, "user", user);
 *         log_end(&line);
 *     }
 *
 * Foreign text is escaped (control characters, quotes, bytes that are not UTF-8) and capped at
 * LIMIT_LOG_TEXT. There is deliberately no function that takes a struct secret. The time and the
 * level are put in front by the sink, because the core reads no clock.
 */
#pragma once

#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

enum log_level { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG, LEVEL_COUNT };
enum log_format { FORMAT_TEXT, FORMAT_JSON };

/* Receives one finished line without a line end. FORMAT_TEXT: `event=login sid=...`;
 * FORMAT_JSON: `"event":"login","sid":"..."}`: the sink supplies `{"time":...,"level":...,`. */
typedef void log_sink(void *ctx, enum log_level level, struct slice line);

struct log {
    enum log_level level; /* lines above it are not built at all */
    enum log_format format;
    log_sink *sink;
    void *ctx; /* borrowed, for the sink */
};

struct log_line {
    const struct log *log;
    enum log_level level;
    struct str text;
    char storage[LIMIT_LOG_LINE];
};

extern const char *const log_level_name[LEVEL_COUNT];

bool log_begin(struct log_line *line, const struct log *log, enum log_level level,
               const char *event);
void log_text(struct log_line *line, const char *key, struct slice value);
void log_num(struct log_line *line, const char *key, uint64_t value);
void log_end(struct log_line *line);
/* A whole line with a single field, for start-up and shutdown. */
void log_note(const struct log *log, enum log_level level, const char *event, const char *key,
              const char *value);
