/*
 * Builds structured log lines on the caller's stack and hands them to the sink. Owns nothing,
 * allocates nothing. A field that does not fit is left out whole; the line still goes out.
 */
#include "waypost/base/log.h"

const char *const log_level_name[LEVEL_COUNT] = {
    [LEVEL_ERROR] = "error",
    [LEVEL_WARN] = "warn",
    [LEVEL_INFO] = "info",
    [LEVEL_DEBUG] = "debug",
};

static void add_hex(struct str *out, enum log_format format, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        str_addf(out, "%s%02x", format == FORMAT_JSON ? "\\u00" : "\\x",
                 (unsigned char)bytes.ptr[i]);
}

/* JSON knows \u00XX only; text uses the shorter \xXX. C1 controls steer terminals too. A byte
 * that is not UTF-8 shows as the code point of the same number. */
static void add_escaped(struct str *out, enum log_format format, struct slice value)
{
    while (value.len > 0 && !out->overflow) {
        size_t n = slice_utf8_len(value);
        struct slice one = slice_take(value, n > 0 ? n : 1);
        if (n == 1 && (*one.ptr == '"' || *one.ptr == '\\'))
            str_addf(out, "\\%c", *one.ptr);
        else if (n == 0)
            add_hex(out, format, one);
        else if (slice_is_control(one))
            add_hex(out, format, format == FORMAT_JSON ? slice_skip(one, n - 1) : one);
        else
            str_add(out, one);
        value = slice_skip(value, one.len);
    }
}

/* Text values are quoted only when a reader could misjudge where they end. */
static bool is_plain(struct slice value)
{
    if (value.len == 0)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7F || (c & 0x80) != 0)
            return false;
    }
    return true;
}

static void add_key(struct log_line *line, const char *key)
{
    if (line->log->format == FORMAT_JSON)
        str_addf(&line->text, "%s\"%s\":", line->text.len > 0 ? "," : "", key);
    else
        str_addf(&line->text, "%s%s=", line->text.len > 0 ? " " : "", key);
}

/* Ends a field: one that overflowed is taken back whole, so that the line stays well-formed. The
 * last byte of the storage is kept for the closing brace. */
static void finish_field(struct log_line *line, size_t start)
{
    if (!line->text.overflow && line->text.len + 1 < line->text.cap)
        return;
    line->text.len = start;
    line->text.data[start] = '\0';
    line->text.overflow = false;
}

bool log_begin(struct log_line *line, const struct log *log, enum log_level level,
               const char *event)
{
    if (log == NULL || level > log->level)
        return false;
    line->log = log;
    line->level = level;
    line->text = STR_ON(line->storage);
    log_text(line, "event", slice_str(event));
    return true;
}

void log_text(struct log_line *line, const char *key, struct slice value)
{
    size_t start = line->text.len;
    struct slice shown = slice_take(value, LIMIT_LOG_TEXT);
    bool quote = line->log->format == FORMAT_JSON || !is_plain(shown);

    add_key(line, key);
    if (quote)
        str_addc(&line->text, '"');
    add_escaped(&line->text, line->log->format, shown);
    if (shown.len < value.len)
        str_add(&line->text, SLICE("..."));
    if (quote)
        str_addc(&line->text, '"');
    finish_field(line, start);
}

void log_num(struct log_line *line, const char *key, uint64_t value)
{
    size_t start = line->text.len;

    add_key(line, key);
    str_addf(&line->text, "%llu", (unsigned long long)value);
    finish_field(line, start);
}

void log_end(struct log_line *line)
{
    if (line->log->format == FORMAT_JSON)
        str_addc(&line->text, '}');
    line->log->sink(line->log->ctx, line->level, str_slice(&line->text));
}

void log_note(const struct log *log, enum log_level level, const char *event, const char *key,
              const char *value)
{
    struct log_line line;

    if (!log_begin(&line, log, level, event))
        return;
    log_text(&line, key, slice_str(value));
    log_end(&line);
}
