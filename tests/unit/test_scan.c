/*
 * Scanning commands before login: every input is fed whole, byte by byte and split at each
 * position, and must give the same events.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "waypost/base/str.h"
#include "waypost/imap/scan.h"

#define LINE     200u
#define SASL     400u
#define LITERAL  64u
#define LOG_SIZE 4096u

static const struct scan_limits small = {LINE, SASL, LITERAL};

static const char *const fault_name[] = {
    [SCAN_FINE] = "fine",
    [SCAN_LINE_TOO_LONG] = "long",
    [SCAN_LITERAL_TOO_BIG] = "big",
    [SCAN_LITERALS_TOO_MANY] = "many",
    [SCAN_NUL] = "nul",
    [SCAN_BARE_CR] = "cr",
    [SCAN_HOPELESS] = "hopeless",
};

typedef enum result scan_fn(struct scan *, struct buf *, const struct scan_limits *);

/* Takes all events that the queue yields; false when the session would be hung up. */
static bool take_events(struct scan *s, struct buf *in, const struct scan_limits *limits,
                        scan_fn *fn, struct str *log)
{
    for (;;) {
        enum result r = fn(s, in, limits);
        if (r == NEED_MORE)
            return true;
        if (r == CONTINUE) {
            str_add(log, SLICE("+ "));
            continue;
        }
        if (r == DONE) {
            str_addf(log, "done:%zu ", s->len);
            buf_drop(in, s->len);
        } else {
            str_addf(log, "bad:%s:%.*s ", fault_name[s->fault], (int)s->tag_len, s->tag);
        }
        if (s->fault == SCAN_HOPELESS)
            return false;
        scan_reset(s);
    }
}

/* The events of `input` cut at each of cuts[]; what stays in the queue is counted at the end. */
static void events(struct slice input, size_t first, size_t step, const struct scan_limits *limits,
                   scan_fn *fn, struct str *log)
{
    struct pool pool;
    struct buf in;
    struct scan s;

    pool_init(&pool);
    buf_init(&in, &pool, LIMIT_BUF);
    in.wipe = true;
    scan_reset(&s);
    for (size_t at = 0, n = first; at < input.len; at += n, n = step) {
        struct slice piece = slice_take(slice_skip(input, at), n);
        cr_assert(buf_append(&in, piece));
        n = piece.len;
        if (!take_events(&s, &in, limits, fn, log))
            break;
    }
    str_addf(log, "left:%zu", buf_len(&in));
    buf_fini(&in);
    pool_fini(&pool);
}

static void expect(const char *name, struct slice input, const struct scan_limits *limits,
                   scan_fn *fn, const char *want)
{
    static char storage[LOG_SIZE];
    struct str log = STR_ON(storage);

    events(input, input.len, 1, limits, fn, &log);
    cr_expect_str_eq(log.data, want, "%s, whole: %s", name, log.data);
    log = STR_ON(storage);
    events(input, 1, 1, limits, fn, &log);
    cr_expect_str_eq(log.data, want, "%s, byte by byte: %s", name, log.data);
    for (size_t cut = 1; cut < input.len; cut++) {
        log = STR_ON(storage);
        events(input, cut, input.len, limits, fn, &log);
        cr_expect_str_eq(log.data, want, "%s, cut at %zu: %s", name, cut, log.data);
    }
}

struct row {
    const char *name;
    struct slice input;
    const char *want;
};

static void expect_rows(const struct row *rows, size_t count, scan_fn *fn)
{
    for (size_t i = 0; i < count; i++)
        expect(rows[i].name, rows[i].input, &small, fn, rows[i].want);
}

/* `head`, then `fill` times 'x', then `tail`. Freed by the test's end. */
static struct slice filled(const char *head, size_t fill, const char *tail)
{
    size_t size = strlen(head) + fill + strlen(tail) + 1;
    char *text = malloc(size);

    cr_assert_not_null(text);
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), 'x', fill);
    memcpy(text + strlen(head) + fill, tail, strlen(tail) + 1);
    return slice_of(text, size - 1);
}

static void expect_filled(const char *name, const char *head, size_t fill, const char *tail,
                          const char *want)
{
    struct slice input = filled(head, fill, tail);

    expect(name, input, &small, scan_command, want);
    free((void *)(uintptr_t)input.ptr);
}

Test(scan, lines)
{
    const struct row rows[] = {
        {"one command", SLICE("a NOOP\r\n"), "done:8 left:0"},
        {"bare LF", SLICE("a NOOP\n"), "done:7 left:0"},
        {"empty line", SLICE("\r\n"), "done:2 left:0"},
        {"unfinished", SLICE("a NOOP\r"), "left:7"},
        {"brace inside", SLICE("a LOGIN {3} x\r\n"), "done:15 left:0"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, t42_pipelined_commands_stay_behind)
{
    const struct row rows[] = {
        {"two", SLICE("a LOGIN u p\r\nb SELECT x\r\n"), "done:13 done:12 left:0"},
        {"NUL belongs to the next", SLICE("a NOOP\r\nb\0c\r\n"), "done:8 bad:nul: left:0"},
        {"long one behind", SLICE("a LOGIN {1+}\r\nu p\r\nc "), "done:19 left:2"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, t21_literals_in_login)
{
    const struct row rows[] = {
        {"user sync", SLICE("a LOGIN {5}\r\nalice p\r\n"), "+ done:22 left:0"},
        {"both sync", SLICE("a LOGIN {5}\r\nalice {2}\r\npw\r\n"), "+ + done:28 left:0"},
        {"both non-sync", SLICE("a LOGIN {5+}\r\nalice {2+}\r\npw\r\n"), "done:30 left:0"},
        {"literal8", SLICE("a LOGIN ~{1+}\r\nx y\r\n"), "done:20 left:0"},
        {"CRLF inside", SLICE("a LOGIN {4+}\r\n\r\n\r\n p\r\n"), "done:22 left:0"},
        {"empty sync", SLICE("a LOGIN {0}\r\n p\r\n"), "+ done:17 left:0"},
        {"empty non-sync", SLICE("a LOGIN {0+}\r\n p\r\n"), "done:18 left:0"},
        {"leading zeros", SLICE("a LOGIN {0000000000000000000000003+}\r\nabc p\r\n"),
         "done:45 left:0"},
        {"header ended by LF", SLICE("a LOGIN {1}\nx p\n"), "+ done:16 left:0"},
        {"CR at the literal's end", SLICE("a LOGIN {1+}\r\n\rx p\r\n"), "done:20 left:0"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, not_a_literal)
{
    const struct row rows[] = {
        {"no digits", SLICE("a X {}\r\nb Y\r\n"), "done:8 done:5 left:0"},
        {"sign", SLICE("a X {-5}\r\nb Y\r\n"), "done:10 done:5 left:0"},
        {"plus first", SLICE("a X {+5}\r\nb Y\r\n"), "done:10 done:5 left:0"},
        {"two plus", SLICE("a X {5++}\r\nb Y\r\n"), "done:11 done:5 left:0"},
        {"digit behind plus", SLICE("a X {5+1}\r\nb Y\r\n"), "done:11 done:5 left:0"},
        {"space", SLICE("a X {5 }\r\nb Y\r\n"), "done:10 done:5 left:0"},
        {"text behind", SLICE("a X {5}.\r\nb Y\r\n"), "done:10 done:5 left:0"},
        {"more than number64", SLICE("a X {9223372036854775808}\r\nb Y\r\n"),
         "done:27 done:5 left:0"},
        {"far more", SLICE("a X {18446744073709551617}\r\nb Y\r\n"), "done:28 done:5 left:0"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, t22_oversized_literal_is_swallowed)
{
    expect_filled("non-sync", "a LOGIN {70+}\r\n", 70, " p\r\nb NOOP\r\n",
                  "bad:big:a done:8 left:0");
    expect_filled("commands inside are no commands", "a LOGIN {90+}\r\nb LOGOUT\r\n", 80,
                  "\r\nc NOOP\r\n", "bad:big:a done:8 left:0");
    expect_filled("another literal behind", "a LOGIN {70+}\r\n", 70, " {4+}\r\nb X\n\r\nc NOOP\r\n",
                  "bad:big:a done:8 left:0");
    expect_filled("sync one behind ends it", "a LOGIN {70+}\r\n", 70, " {4}\r\nc NOOP\r\n",
                  "bad:big:a done:8 left:0");
    expect_filled("at the limit", "a LOGIN {64+}\r\n", 64, " p\r\n", "done:83 left:0");
}

Test(scan, t22_oversized_sync_literal_is_refused_at_once)
{
    const struct row rows[] = {
        {"no plus", SLICE("a LOGIN {65}\r\nb NOOP\r\n"), "bad:big:a done:8 left:0"},
        {"second", SLICE("a LOGIN {1+}\r\nx {65}\r\nb NOOP\r\n"), "bad:big:a done:8 left:0"},
        {"number64", SLICE("a LOGIN {9223372036854775807}\r\nb X\r\n"), "bad:big:a done:5 left:0"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, t22_gigantic_literal_is_hopeless)
{
    const struct row rows[] = {
        {"2^63-1", SLICE("a LOGIN {9223372036854775807+}\r\nb X\r\n"), "bad:hopeless:a left:0"},
        {"just over", SLICE("a LOGIN {1048577+}\r\nb X\r\n"), "bad:hopeless:a left:0"},
    };

    /* Pieces cut behind the header would never be read: the session has ended. */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[256];
        struct str log = STR_ON(storage);
        struct slice input = rows[i].input;
        events(input, input.len, 1, &small, scan_command, &log);
        cr_expect_str_eq(log.data, rows[i].want, "%s: %s", rows[i].name, log.data);
        log = STR_ON(storage);
        events(input, 1, 1, &small, scan_command, &log);
        cr_expect_str_eq(log.data, rows[i].want, "%s: %s", rows[i].name, log.data);
    }
}

Test(scan, literals_too_many)
{
    const struct row rows[] = {
        {"four", SLICE("a X {1+}\r\na {1+}\r\nb {1+}\r\nc {1+}\r\nd\r\n"), "done:37 left:0"},
        {"five", SLICE("a X {1+}\r\na {1+}\r\nb {1+}\r\nc {1+}\r\nd {1+}\r\ne\r\nb Y\r\n"),
         "bad:many:a done:5 left:0"},
        {"fifth is sync", SLICE("a X {1+}\r\na {1+}\r\nb {1+}\r\nc {1+}\r\nd {1}\r\nb Y\r\n"),
         "bad:many:a done:5 left:0"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, t24_nul_is_refused)
{
    const struct row rows[] = {
        {"in a line", SLICE("a LO\0GIN u p\r\nb NOOP\r\n"), "bad:nul:a done:8 left:0"},
        {"in the tag", SLICE("a\0 NOOP\r\nb NOOP\r\n"), "bad:nul: done:8 left:0"},
        {"before a literal", SLICE("a \0 {8+}\r\nb NOOP\r\n\r\nc X\r\n"),
         "bad:nul:a done:5 left:0"},
        {"in a literal", SLICE("a LOGIN {3+}\r\nx\0y p\r\nb X\r\n"), "bad:nul:a done:5 left:0"},
        {"in a sync literal", SLICE("a LOGIN {3}\r\nx\0y {1+}\r\nz\r\nb X\r\n"),
         "+ bad:nul:a done:5 left:0"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, t26_bare_cr_is_refused)
{
    const struct row rows[] = {
        {"inside", SLICE("a NO\rOP\r\nb X\r\n"), "bad:cr:a done:5 left:0"},
        {"two CR", SLICE("a NOOP\r\r\nb X\r\n"), "bad:cr:a done:5 left:0"},
        {"splits nothing", SLICE("a NOOP\rb LOGOUT\r\nc X\r\n"), "bad:cr:a done:5 left:0"},
    };
    expect_rows(rows, COUNT_OF(rows), scan_command);
}

Test(scan, t25_long_line_is_refused)
{
    expect_filled("at the limit", "a ", LINE - 4, "\r\nb X\r\n", "done:200 done:5 left:0");
    expect_filled("one over", "a ", LINE - 3, "\r\nb X\r\n", "bad:long:a done:5 left:0");
    expect_filled("bare LF at the limit", "a ", LINE - 3, "\nb X\r\n", "done:200 done:5 left:0");
    expect_filled("far over", "a ", 3 * LINE, "\r\nb X\r\n", "bad:long:a done:5 left:0");
    expect_filled("no tag", "", 2 * LINE, "\r\nb X\r\n", "bad:long: done:5 left:0");
    expect_filled("literal at its end", "a ", LINE, "{7+}\r\nb NOOP\r\r\nc X\r\n",
                  "bad:long:a done:5 left:0");
    expect_filled("behind a literal", "a {1+}\r\nx", LINE, "\r\nb X\r\n",
                  "bad:long:a done:5 left:0");
}

Test(scan, t25_authenticate_may_be_longer)
{
    expect_filled("over line, within sasl", "a authenticate PLAIN ", LINE, "\r\n",
                  "done:223 left:0");
    expect_filled("over sasl", "a AUTHENTICATE PLAIN ", SASL, "\r\nb X\r\n",
                  "bad:long:a done:5 left:0");
    expect_filled("only at the beginning", "a X {1+}\r\na AUTHENTICATE ", LINE, "\r\nb X\r\n",
                  "bad:long:a done:5 left:0");
    expect_filled("other name", "a AUTHENTICATED ", LINE, "\r\nb X\r\n",
                  "bad:long:a done:5 left:0");
}

Test(scan, t25_endless_line_is_hopeless)
{
    struct pool pool;
    struct buf in;
    struct scan s;
    size_t fed = 0;
    char chunk[1024];
    enum result r = NEED_MORE;

    memset(chunk, 'x', sizeof chunk);
    pool_init(&pool);
    buf_init(&in, &pool, LIMIT_BUF);
    scan_reset(&s);
    while (r == NEED_MORE && fed < 4 * LIMIT_SKIP) {
        cr_assert(buf_append(&in, slice_of(chunk, sizeof chunk)));
        fed += sizeof chunk;
        r = scan_command(&s, &in, &small);
    }
    cr_expect_eq(r, BAD);
    cr_expect_eq(s.fault, SCAN_HOPELESS);
    cr_expect_eq(fed, LIMIT_SKIP + sizeof chunk);
    cr_expect(buf_empty(&in));
    buf_fini(&in);
    pool_fini(&pool);
}

Test(scan, limits_beyond_the_queue_do_not_hang)
{
    static const struct scan_limits huge = {1000, 1000, 1000};
    struct pool pool;
    struct buf in;
    struct scan s;

    pool_init(&pool);
    buf_init(&in, &pool, 16);
    scan_reset(&s);
    cr_assert(buf_append(&in, SLICE("a LOGIN 12345678")));
    cr_expect_eq(scan_command(&s, &in, &huge), NEED_MORE);
    cr_expect(buf_empty(&in));
    cr_assert(buf_append(&in, SLICE("9\r\nb X\r\n")));
    cr_expect_eq(scan_command(&s, &in, &huge), BAD);
    cr_expect_eq(s.fault, SCAN_LINE_TOO_LONG);
    cr_expect_eq(buf_len(&in), 5);
    buf_fini(&in);
    pool_fini(&pool);
}

Test(scan, sasl_lines_know_no_literals)
{
    const struct row rows[] = {
        {"base64", SLICE("AGEAYg==\r\n"), "done:10 left:0"},
        {"brace", SLICE("{5+}\r\nb X\r\n"), "done:6 done:5 left:0"},
        {"NUL", SLICE("ab\0c\r\nb\r\n"), "bad:nul: done:3 left:0"},
        {"bare CR, then a brace", SLICE("a\rb {5+}\r\nb\r\n"), "bad:cr: done:3 left:0"},
        {"cancel", SLICE("*\r\n"), "done:3 left:0"},
    };
    struct slice input = filled("", SASL, "\r\nb\r\n");

    expect_rows(rows, COUNT_OF(rows), scan_line);
    expect("long", input, &small, scan_line, "bad:long: done:3 left:0");
    free((void *)(uintptr_t)input.ptr);
    input = filled("", SASL - 2, "\r\n");
    expect("at the limit", input, &small, scan_line, "done:400 left:0");
    free((void *)(uintptr_t)input.ptr);
}
