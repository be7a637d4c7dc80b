/*
 * Log lines: both formats are read back with an independent reader (jansson for JSON, a small one
 * here for text), whatever a client managed to put into a value.
 */
#include "waypost/base/log.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

struct sunk {
    unsigned lines;
    enum log_level level;
    char text[LIMIT_LOG_LINE + 1];
};

static struct sunk sunk;

static void sink(void *ctx, enum log_level level, struct slice line)
{
    struct sunk *to = ctx;

    cr_assert_lt(line.len, LIMIT_LOG_LINE);
    to->lines++;
    to->level = level;
    memcpy(to->text, line.ptr, line.len);
    to->text[line.len] = '\0';
    cr_assert_eq(strlen(to->text), line.len, "a NUL in a line");
}

static struct log to_sink(enum log_format format)
{
    return (struct log){.level = LEVEL_INFO, .format = format, .sink = sink, .ctx = &sunk};
}

/* The whole line as JSON; the caller gives it back. */
static json_t *read_json(void)
{
    char whole[LIMIT_LOG_LINE + 2];
    json_error_t error;
    json_t *object;

    snprintf(whole, sizeof whole, "{%s", sunk.text);
    object = json_loads(whole, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    cr_assert_not_null(object, "%s: %s", error.text, whole);
    return object;
}

/* Takes one character of a text value from the front, its escape undone. */
static bool read_char(struct slice *rest, struct str *value)
{
    static const char hex[] = "0123456789abcdef";
    const char *at = rest->ptr;
    size_t used = 1;

    if (*at != '\\') {
        str_addc(value, *at);
    } else if (rest->len >= 4 && at[1] == 'x') {
        size_t high = slice_find(SLICE(hex), at[2]), low = slice_find(SLICE(hex), at[3]);
        cr_assert(high < 16 && low < 16, "%.4s", at);
        str_addc(value, (char)(high * 16 + low));
        used = 4;
    } else if (rest->len >= 2 && (at[1] == '"' || at[1] == '\\')) {
        str_addc(value, at[1]);
        used = 2;
    } else {
        return false;
    }
    *rest = slice_skip(*rest, used);
    return true;
}

/* Takes one key=value and the space behind it from the front. */
static bool read_field(struct slice *rest, struct slice *key, struct str *value)
{
    *key = slice_cut(rest, '=');
    bool quoted = slice_starts(*rest, SLICE("\""));
    char end = quoted ? '"' : ' ';

    *rest = slice_skip(*rest, quoted ? 1 : 0);
    while (rest->len > 0 && *rest->ptr != end) {
        if (!read_char(rest, value))
            return false;
    }
    if (quoted && rest->len == 0)
        return false;
    *rest = slice_skip(*rest, quoted ? 1 : 0);
    return rest->len == 0 || slice_cut(rest, ' ').len == 0;
}

static void log_value(enum log_format format, struct slice value)
{
    struct log log = to_sink(format);
    struct log_line line;

    sunk.lines = 0;
    cr_assert(log_begin(&line, &log, LEVEL_INFO, "login"));
    log_text(&line, "user", value);
    log_num(&line, "attempt", 3);
    log_end(&line);
    cr_assert_eq(sunk.lines, 1);
}

Test(log, text)
{
    struct log log = to_sink(FORMAT_TEXT);
    struct log_line line;

    cr_assert(log_begin(&line, &log, LEVEL_WARN, "end"));
    log_text(&line, "user", SLICE("alice@example.org"));
    log_text(&line, "why", SLICE("not in time"));
    log_text(&line, "sni", SLICE(""));
    log_num(&line, "bytes", UINT64_MAX);
    log_end(&line);
    cr_expect_eq(sunk.level, LEVEL_WARN);
    cr_expect_str_eq(sunk.text, "event=end user=alice@example.org why=\"not in time\" sni=\"\" "
                                "bytes=18446744073709551615");
}

Test(log, json)
{
    struct log log = to_sink(FORMAT_JSON);
    struct log_line line;

    cr_assert(log_begin(&line, &log, LEVEL_ERROR, "end"));
    log_text(&line, "user", SLICE("al\"ice"));
    log_num(&line, "bytes", 0);
    log_end(&line);
    cr_expect_eq(sunk.level, LEVEL_ERROR);
    cr_expect_str_eq(sunk.text, "\"event\":\"end\",\"user\":\"al\\\"ice\",\"bytes\":0}");
}

Test(log, a_note_is_a_line_with_one_field)
{
    struct log log = to_sink(FORMAT_TEXT);

    log_note(&log, LEVEL_INFO, "start", "version", "1");
    cr_expect_str_eq(sunk.text, "event=start version=1");
}

Test(log, lines_above_the_level_are_not_built)
{
    struct log log = to_sink(FORMAT_TEXT);
    struct log_line line;

    cr_expect_not(log_begin(&line, &log, LEVEL_DEBUG, "phase"));
    cr_expect_not(log_begin(&line, NULL, LEVEL_ERROR, "phase"));
    log_note(&log, LEVEL_DEBUG, "phase", "to", "RELAY");
    cr_expect_eq(sunk.lines, 0);
    for (int level = 0; level < LEVEL_COUNT; level++)
        cr_expect_gt(strlen(log_level_name[level]), 0);
}

/* What clients might send as a user name, and what JSON must say it was. Bytes that are no UTF-8
 * appear as the code points of the same number. */
static const struct {
    const char *bytes;
    size_t len;
    const char *json;
    size_t json_len;
} hostile[] = {
#define ROW(bytes, json)                                 \
    {                                                    \
        bytes, sizeof(bytes) - 1, json, sizeof(json) - 1 \
    }
    ROW("alice\r\nevent=login user=root", "alice\r\nevent=login user=root"),
    ROW("alice event=login", "alice event=login"),
    ROW("a=b", "a=b"),
    ROW("\" event=login \"", "\" event=login \""),
    ROW("\\", "\\"),
    ROW("\\\" x=\"", "\\\" x=\""),
    ROW("\\x41", "\\x41"),
    ROW("\x1B[2J\x1B]0;owned\x07", "\x1B[2J\x1B]0;owned\x07"),
    ROW("nul\0nul", "nul\0nul"),
    ROW("\x7F\b\t\v\f", "\x7F\b\t\v\f"),
    ROW("\xC2\x9B"
        "31m",
        "\xC2\x9B"
        "31m"),
    ROW("j\xC3\xBCrgen \xF0\x9F\x98\x80", "j\xC3\xBCrgen \xF0\x9F\x98\x80"),
    ROW("latin \xFC", "latin \xC3\xBC"),
    ROW("\xC0\xAF", "\xC3\x80\xC2\xAF"),
    ROW("\xED\xA0\x80", "\xC3\xAD\xC2\xA0\xC2\x80"),
    ROW("cut \xE2\x82", "cut \xC3\xA2\xC2\x82"),
    ROW("\x85\x9B", "\xC2\x85\xC2\x9B"),
#undef ROW
};

static void expect_harmless(const char *line)
{
    struct slice rest = slice_str(line);

    while (rest.len > 0) {
        size_t n = slice_utf8_len(rest);
        cr_assert_neq(n, 0, "not UTF-8: %s", line);
        cr_assert_not(slice_is_control(slice_take(rest, n)), "control character: %s", line);
        rest = slice_skip(rest, n);
    }
}

Test(log, t80_text_reads_back_field_by_field)
{
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        char storage[256];
        struct slice key, rest;
        struct str value = STR_ON(storage);
        log_value(FORMAT_TEXT, slice_of(hostile[i].bytes, hostile[i].len));
        expect_harmless(sunk.text);
        rest = slice_str(sunk.text);
        cr_assert(read_field(&rest, &key, &value));
        cr_expect(slice_eq(key, SLICE("event")) && slice_eq(str_slice(&value), SLICE("login")));
        value = STR_ON(storage);
        cr_assert(read_field(&rest, &key, &value), "row %zu: %s", i, sunk.text);
        cr_expect(slice_eq(key, SLICE("user")));
        cr_expect(slice_eq(str_slice(&value), slice_of(hostile[i].bytes, hostile[i].len)),
                  "row %zu: %s", i, sunk.text);
        cr_expect(slice_eq(rest, SLICE("attempt=3")), "row %zu: %s", i, sunk.text);
    }
}

Test(log, t80_json_reads_back_field_by_field)
{
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        log_value(FORMAT_JSON, slice_of(hostile[i].bytes, hostile[i].len));
        expect_harmless(sunk.text);
        json_t *object = read_json();
        json_t *user = json_object_get(object, "user");
        cr_expect_eq(json_object_size(object), 3);
        cr_expect_str_eq(json_string_value(json_object_get(object, "event")), "login");
        cr_expect_eq(json_integer_value(json_object_get(object, "attempt")), 3);
        cr_expect(slice_eq(slice_of(json_string_value(user), json_string_length(user)),
                           slice_of(hostile[i].json, hostile[i].json_len)),
                  "row %zu: %s", i, sunk.text);
        json_decref(object);
    }
}

Test(log, t80_every_single_byte_is_harmless)
{
    for (int byte = 0; byte < 256; byte++) {
        char value[3] = {'a', (char)(unsigned char)byte, 'b'};
        log_value(FORMAT_TEXT, slice_of(value, 3));
        expect_harmless(sunk.text);
        log_value(FORMAT_JSON, slice_of(value, 3));
        expect_harmless(sunk.text);
        json_decref(read_json());
    }
}

Test(log, long_values_are_capped_and_say_so)
{
    char value[LIMIT_LOG_TEXT + 1];

    memset(value, 'a', sizeof value);
    log_value(FORMAT_TEXT, slice_of(value, LIMIT_LOG_TEXT));
    cr_expect_null(strstr(sunk.text, "..."));
    log_value(FORMAT_TEXT, slice_of(value, sizeof value));
    cr_expect_not_null(strstr(sunk.text, "aaa... attempt=3"));
    cr_expect_leq(strlen(sunk.text), LIMIT_LOG_TEXT + 40);
    memset(value, '\0', sizeof value);
    log_value(FORMAT_JSON, slice_of(value, sizeof value));
    json_decref(read_json());
}

/* Fills a line up with fields of growing length until nothing more fits. */
Test(log, a_field_that_does_not_fit_is_left_out_whole)
{
    for (size_t len = 0; len <= LIMIT_LOG_TEXT; len++) {
        for (int format = FORMAT_TEXT; format <= FORMAT_JSON; format++) {
            struct log log = to_sink((enum log_format)format);
            struct log_line line;
            char value[LIMIT_LOG_TEXT], key[16];
            memset(value, len % 3 == 0 ? '\1' : 'a', sizeof value);
            cr_assert(log_begin(&line, &log, LEVEL_INFO, "full"));
            for (unsigned i = 0; i < 400; i++) {
                snprintf(key, sizeof key, "k%u", i);
                log_text(&line, key, slice_of(value, len));
                log_num(&line, key + 1, i);
            }
            log_end(&line);
            expect_harmless(sunk.text);
            cr_assert_gt(strlen(sunk.text), LIMIT_LOG_LINE - 16, "room left, %zu", len);
            if (format == FORMAT_JSON)
                json_decref(read_json());
            else
                cr_assert_eq(strchr(sunk.text, '"') == NULL, len > 0 && len % 3 != 0);
        }
    }
}
