/*
 * Server replies: every stream is fed whole, byte by byte and split at each position, and must
 * give the same replies.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/imap/reply.h"

static const char *const kind_name[] = {"*", "tag", "+"};
static const char *const status_name[] = {"data", "OK", "NO", "BAD", "PREAUTH", "BYE"};

/* One reply as text: kind(tag) status word [code] <text>. */
static void describe(const struct reply *r, struct str *log)
{
    str_addf(log, "%s", kind_name[r->kind]);
    if (r->kind == REPLY_TAGGED)
        str_addf(log, "(%.*s)", SLICE_ARG(r->tag));
    str_addf(log, " %s ", status_name[r->status]);
    if (r->kind == REPLY_UNTAGGED && r->status == STATUS_OTHER)
        str_add(log, r->word);
    if (r->code.len > 0)
        str_addf(log, "[%.*s]", SLICE_ARG(r->code));
    str_addf(log, "<%.*s>;", SLICE_ARG(r->text));
}

static void feed(struct slice input, size_t first, size_t step, struct str *log)
{
    struct pool pool;
    struct buf in;
    struct reply r;
    enum result result = NEED_MORE;

    pool_init(&pool);
    buf_init(&in, &pool, LIMIT_BUF);
    reply_reset(&r);
    for (size_t at = 0, n = first; at < input.len && result != BAD; at += n, n = step) {
        struct slice piece = slice_take(slice_skip(input, at), n);
        cr_assert(buf_append(&in, piece));
        n = piece.len;
        while ((result = reply_next(&r, &in)) == DONE) {
            describe(&r, log);
            buf_drop(&in, r.len);
            reply_reset(&r);
        }
    }
    cr_expect_neq(result, CONTINUE);
    if (result == BAD)
        str_add(log, SLICE("BAD"));
    else
        str_addf(log, "left:%zu", buf_len(&in));
    buf_fini(&in);
    pool_fini(&pool);
}

static void expect(const char *name, struct slice input, const char *want)
{
    static char storage[4096];
    struct str log = STR_ON(storage);

    feed(input, input.len, 1, &log);
    cr_expect_str_eq(log.data, want, "%s, whole: %s", name, log.data);
    log = STR_ON(storage);
    feed(input, 1, 1, &log);
    cr_expect_str_eq(log.data, want, "%s, byte by byte: %s", name, log.data);
    for (size_t cut = 1; cut < input.len; cut++) {
        log = STR_ON(storage);
        feed(input, cut, input.len, &log);
        cr_expect_str_eq(log.data, want, "%s, cut at %zu: %s", name, cut, log.data);
    }
}

struct row {
    const char *name;
    struct slice input;
    const char *want;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(rows[i].name, rows[i].input, rows[i].want);
}

Test(reply, statuses)
{
    const struct row rows[] = {
        {"greeting", SLICE("* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n"),
         "* OK [CAPABILITY IMAP4rev1 IDLE]<ready>;left:0"},
        {"lower case", SLICE("* ok hello\r\n"), "* OK <hello>;left:0"},
        {"preauth", SLICE("* PREAUTH welcome\r\n"), "* PREAUTH <welcome>;left:0"},
        {"bye", SLICE("* BYE overload\r\n"), "* BYE <overload>;left:0"},
        {"tagged", SLICE("w1 OK done\r\nw2 No [AUTHENTICATIONFAILED] no\r\nw3 BAD what\r\n"),
         "tag(w1) OK <done>;tag(w2) NO [AUTHENTICATIONFAILED]<no>;tag(w3) BAD <what>;left:0"},
        {"no text", SLICE("w1 OK\r\n* NO\r\n* OK \r\n"), "tag(w1) OK <>;* NO <>;* OK <>;left:0"},
        {"bare LF", SLICE("w1 OK x\n* BYE y\n"), "tag(w1) OK <x>;* BYE <y>;left:0"},
        {"code only", SLICE("w1 OK [ALERT]\r\n"), "tag(w1) OK [ALERT]<>;left:0"},
        {"code without space", SLICE("w1 OK [ALERT]now\r\n"), "tag(w1) OK [ALERT]<now>;left:0"},
        {"open code", SLICE("w1 OK [ALERT now\r\n"), "tag(w1) OK <[ALERT now>;left:0"},
        {"address in a referral", SLICE("w1 NO [REFERRAL imap://u@[::1]:143/] go\r\n"),
         "tag(w1) NO [REFERRAL imap://u@[::1]:143/]<go>;left:0"},
        {"the same alone", SLICE("w1 NO [referral imap://[::1]]\r\n"),
         "tag(w1) NO [referral imap://[::1]]<>;left:0"},
        {"address in an open referral", SLICE("w1 NO [REFERRAL imap://[::1] go\r\n"),
         "tag(w1) NO [REFERRAL imap://[::1]<go>;left:0"},
        {"brackets behind a referral", SLICE("w1 NO [REFERRAL imap://h/] go [there]\r\n"),
         "tag(w1) NO [REFERRAL imap://h/]<go [there]>;left:0"},
        {"brackets in another code", SLICE("w1 OK [ALERT [a] b] c\r\n"),
         "tag(w1) OK [ALERT [a]<b] c>;left:0"},
        {"begins like a status", SLICE("* OKAY x\r\n* BYEBYE\r\n"),
         "* data OKAY<x>;* data BYEBYE<>;left:0"},
        {"unfinished", SLICE("w1 OK done\r"), "left:11"},
    };
    expect_rows(rows, COUNT_OF(rows));
}

Test(reply, data)
{
    const struct row rows[] = {
        {"capability", SLICE("* CAPABILITY IMAP4rev1 IDLE\r\n"),
         "* data CAPABILITY<IMAP4rev1 IDLE>;left:0"},
        {"number", SLICE("* 3 EXISTS\r\n"), "* data 3<EXISTS>;left:0"},
        {"word only", SLICE("* ENABLED\r\n"), "* data ENABLED<>;left:0"},
        {"long word",
         SLICE("* xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               " y\r\n"),
         "* data "
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "<y>;left:0"},
    };
    expect_rows(rows, COUNT_OF(rows));
}

Test(reply, t31_continuations)
{
    const struct row rows[] = {
        {"with space", SLICE("+ \r\n"), "+ data <>;left:0"},
        {"t57 bare plus", SLICE("+\r\n+\n"), "+ data <>;+ data <>;left:0"},
        {"challenge", SLICE("+ cj1hYmM=\r\n"), "+ data <cj1hYmM=>;left:0"},
        {"no space", SLICE("+OK\r\n"), "+ data <OK>;left:0"},
        {"two spaces", SLICE("+  x\r\n"), "+ data < x>;left:0"},
        {"brace is text", SLICE("+ go {5}\r\n+ x\r\n"), "+ data <go {5}>;+ data <x>;left:0"},
    };
    expect_rows(rows, COUNT_OF(rows));
}

Test(reply, t57_plus_between_other_lines)
{
    expect("dialogue", SLICE("* OK hi\r\n+\r\nw1 OK in\r\n"),
           "* OK <hi>;+ data <>;tag(w1) OK <in>;left:0");
}

Test(reply, t49_literals_in_untagged_data)
{
    const struct row rows[] = {
        {"ID", SLICE("* ID (\"name\" {5}\r\nx\r\ny) \"v\" NIL)\r\nw1 OK x\r\n"),
         "* data ID<(\"name\" {5}\r\nx\r\ny) \"v\" NIL)>;tag(w1) OK <x>;left:0"},
        {"looks like a reply", SLICE("* ID ({9}\r\nw1 OK x\r\n x)\r\nw1 NO y\r\n"),
         "* data ID<({9}\r\nw1 OK x\r\n x)>;tag(w1) NO <y>;left:0"},
        {"two", SLICE("* X {1}\r\na {0}\r\n {2+}\r\nbc\r\n"),
         "* data X<{1}\r\na {0}\r\n {2+}\r\nbc>;left:0"},
        {"literal8", SLICE("* X ~{2}\r\nab\r\n"), "* data X<~{2}\r\nab>;left:0"},
        {"text is no literal", SLICE("* OK see {5}\r\nw1 NO mailbox{9}\r\n"),
         "* OK <see {5}>;tag(w1) NO <mailbox{9}>;left:0"},
        {"too big", SLICE("* X {16385}\r\n"), "BAD"},
        {"gigantic", SLICE("* X {9223372036854775807}\r\n"), "BAD"},
        {"no number64", SLICE("* X {9223372036854775808}\r\n"),
         "* data X<{9223372036854775808}>;left:0"},
    };
    expect_rows(rows, COUNT_OF(rows));
}

Test(reply, illegal)
{
    const struct row rows[] = {
        {"http", SLICE("HTTP/1.1 400 Bad Request\r\n"), "BAD"},
        {"empty line", SLICE("\r\n"), "BAD"},
        {"star only", SLICE("*\r\n"), "BAD"},
        {"star and space", SLICE("* \r\n"), "BAD"},
        {"star and text", SLICE("*OK x\r\n"), "BAD"},
        {"tag only", SLICE("w1\r\n"), "BAD"},
        {"tag and no status", SLICE("w1 FETCH x\r\n"), "BAD"},
        {"tagged bye", SLICE("w1 BYE x\r\n"), "BAD"},
        {"tagged preauth", SLICE("w1 PREAUTH x\r\n"), "BAD"},
        {"illegal tag", SLICE("w(1 OK x\r\n"), "BAD"},
        {"NUL", SLICE("* OK a\0b\r\n"), "BAD"},
        {"NUL in a literal", SLICE("* X {3}\r\na\0b\r\n"), "BAD"},
        {"bare CR", SLICE("* OK a\rb\r\n"), "BAD"},
        {"two CR", SLICE("* OK a\r\r\n"), "BAD"},
        {"first one good", SLICE("* OK a\r\n\r\n"), "* OK <a>;BAD"},
    };
    expect_rows(rows, COUNT_OF(rows));
}

/* A line of `len` bytes in all. */
static char *line_of(size_t len)
{
    char *text = malloc(len + 1);

    cr_assert_not_null(text);
    memset(text, 'x', len);
    memcpy(text, "* OK ", 5);
    memcpy(text + len - 2, "\r\n", 3);
    return text;
}

static enum result result_of(size_t len, size_t fed)
{
    struct pool pool;
    struct buf in;
    struct reply r;
    char *text = line_of(len);
    enum result result;

    pool_init(&pool);
    buf_init(&in, &pool, LIMIT_BUF);
    reply_reset(&r);
    cr_assert(buf_append(&in, slice_of(text, fed)));
    result = reply_next(&r, &in);
    buf_fini(&in);
    pool_fini(&pool);
    free(text);
    return result;
}

Test(reply, limit)
{
    cr_expect_eq(result_of(LIMIT_REPLY, LIMIT_REPLY), DONE);
    cr_expect_eq(result_of(LIMIT_REPLY, LIMIT_REPLY - 1), NEED_MORE);
    cr_expect_eq(result_of(LIMIT_REPLY + 1, LIMIT_REPLY + 1), BAD);
    cr_expect_eq(result_of(LIMIT_REPLY + 1, LIMIT_REPLY), BAD);
}

Test(reply, code_name)
{
    struct reply r = {.code = SLICE("REFERRAL imap://x")};

    cr_expect(slice_eq(reply_code_name(&r), SLICE("REFERRAL")));
    r.code = SLICE("ALERT");
    cr_expect(slice_eq(reply_code_name(&r), SLICE("ALERT")));
    r.code = SLICE("");
    cr_expect_eq(reply_code_name(&r).len, 0);
}
