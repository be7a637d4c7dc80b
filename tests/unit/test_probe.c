/*
 * The dialogue of a probe, played whole, byte by byte and in small pieces, with the same result.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/probe/probe.h"

TestSuite(probe);

static struct pool pool;

struct play {
    const char *what;
    enum conf_tls_mode tls;
    const char *server; /* `|`: what follows is behind TLS */
    const char *sent;   /* everything we say, `|` where TLS begins */
    const char *why;    /* NULL: up */
    const char *caps;
};

static void take_out(struct probe *p, struct str *sent)
{
    str_add(sent, buf_bytes(&p->port.out));
    buf_drop(&p->port.out, buf_len(&p->port.out));
}

/* What the shell does; true when it did anything. */
static bool perform(struct probe *p, struct str *sent, bool *may_secure)
{
    unsigned asked = p->port.ask;

    take_out(p, sent);
    p->port.ask = 0;
    if ((asked & ASK_OPEN) != 0)
        p->port.open = true;
    if ((asked & ASK_TLS) != 0) {
        cr_assert(buf_empty(&p->port.in), "nothing from before TLS may be left");
        str_addc(sent, '|');
        *may_secure = true;
    }
    return asked != 0 && !probe_done(p);
}

static void feed(struct probe *p, const char *server, size_t step, struct str *sent)
{
    struct slice rest = slice_str(server);
    bool shaking = false;

    for (;;) {
        struct slice part = slice_take(rest, step);
        probe_step(p, 10);
        if (perform(p, sent, &shaking))
            continue;
        if (probe_done(p))
            return;
        if (shaking && slice_starts(rest, SLICE("|"))) {
            p->port.secure = true;
            p->port.tls_version = "TLSv1.3";
            rest = slice_skip(rest, 1);
            shaking = false;
            continue;
        }
        if (rest.len == 0 || rest.ptr[0] == '|') {
            cr_assert_not(p->port.eof, "%s", server);
            p->port.eof = true;
            continue;
        }
        part = slice_take(part, slice_find(part, '|'));
        cr_assert(buf_append(&p->port.in, part));
        rest = slice_skip(rest, part.len);
    }
}

static void play(const struct play *row, size_t step)
{
    struct conf_backend backend = {.probe.timeout = 1000, .tls = row->tls};
    char storage[1024];
    struct str sent = STR_ON(storage);
    struct probe p;

    probe_init(&p, &backend, &pool, 0);
    feed(&p, row->server, step, &sent);
    cr_expect_eq(p.up, row->why == NULL, "%s, %zu: %s", row->what, step, p.why);
    cr_expect_str_eq(p.why, row->why == NULL ? "" : row->why, "%s, %zu: %s", row->what, step,
                     p.why);
    cr_expect_str_eq(storage, row->sent, "%s, %zu: %s", row->what, step, storage);
    cr_expect(slice_eq(caps_words(&p.caps), slice_str(row->caps)), "%s, %zu", row->what, step);
    cr_expect_eq(p.deadline, PROBE_NEVER);
    cr_expect_eq(p.tls_version != NULL, p.port.secure);
    probe_fini(&p);
}

#define GOOD  "* CAPABILITY IMAP4rev1 IDLE\r\nw2 OK done\r\n"
#define WORDS "IMAP4rev1 IDLE"
#define ASK   "w2 CAPABILITY\r\n"
#define START "w1 STARTTLS\r\n"
#define BYE   "w3 LOGOUT\r\n"

static const struct play plays[] = {
    {"implicit TLS", CONF_TLS_IMPLICIT, "|* OK hi\r\n" GOOD, "|" ASK BYE, NULL, WORDS},
    {"in clear", CONF_TLS_NONE, "* OK hi\r\n" GOOD, ASK BYE, NULL, WORDS},
    {"STARTTLS", CONF_TLS_STARTTLS, "* OK hi\r\nw1 OK go\r\n|" GOOD, START "|" ASK BYE, NULL,
     WORDS},
    {"STARTTLS, offered in the greeting", CONF_TLS_STARTTLS,
     "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n* NOOP\r\nw1 OK go\r\n|" GOOD, START "|" ASK BYE,
     NULL, WORDS},
    {"list in the greeting, and a newer one", CONF_TLS_IMPLICIT,
     "|* OK [CAPABILITY IMAP4rev1 OLD] hi\r\n* OK still here\r\n" GOOD, "|" ASK BYE, NULL, WORDS},
    {"list in the tagged answer", CONF_TLS_NONE,
     "* OK hi\r\nw2 OK [CAPABILITY IMAP4rev2 IDLE] done\r\n", ASK BYE, NULL, "IMAP4rev2 IDLE"},
    {"nothing before TLS", CONF_TLS_IMPLICIT, "", "|", "closed the connection before TLS was there",
     NULL},
    {"nothing at all", CONF_TLS_NONE, "", "", "closed the connection", NULL},
    {"half a greeting", CONF_TLS_NONE, "* OK hi", "", "closed the connection", NULL},
    {"another protocol", CONF_TLS_NONE, "220 mail.example ESMTP\r\n", "",
     "what it says is not IMAP", NULL},
    {"a tagged greeting", CONF_TLS_NONE, "w2 OK hi\r\n", "", "the greeting is not IMAP", NULL},
    {"no text", CONF_TLS_NONE, "\x16\x03\x01\0\r\n", "", "closed the connection", NULL},
    {"a refusal", CONF_TLS_IMPLICIT, "|* BYE too many connections\r\n", "|",
     "the greeting is BYE: too many connections", NULL},
    {"somebody's session", CONF_TLS_STARTTLS, "* PREAUTH hi\r\n", "", "the greeting is PREAUTH",
     NULL},
    {"t03 STARTTLS was taken away", CONF_TLS_STARTTLS, "* OK [CAPABILITY IMAP4rev1] hi\r\n", "",
     "STARTTLS is not offered", NULL},
    {"STARTTLS is refused", CONF_TLS_STARTTLS, "* OK hi\r\nw1 NO not today\r\n", START,
     "STARTTLS was refused: not today", NULL},
    {"a handshake that ends", CONF_TLS_STARTTLS, "* OK hi\r\nw1 OK go\r\n", START "|",
     "closed the connection", NULL},
    {"t04 capabilities from before TLS do not count", CONF_TLS_STARTTLS,
     "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nw1 OK go\r\n|w2 OK done\r\n", START "|" ASK,
     "does not tell its capabilities", NULL},
    {"capabilities are refused", CONF_TLS_NONE, "* OK hi\r\nw2 BAD what\r\n", ASK,
     "does not tell its capabilities: what", NULL},
    {"a different protocol in capabilities", CONF_TLS_NONE,
     "* OK hi\r\n* CAPABILITY IMAP2bis\r\nw2 OK\r\n", ASK, "speaks neither IMAP4rev1 nor IMAP4rev2",
     NULL},
    {"the end in between", CONF_TLS_NONE, "* OK hi\r\n* BYE shutting down\r\n", ASK,
     "said BYE: shutting down", NULL},
};

Test(probe, dialogues)
{
    static const size_t steps[] = {4096, 1, 2, 3, 7};

    pool_init(&pool);
    for (size_t i = 0; i < COUNT_OF(plays); i++) {
        for (size_t s = 0; s < COUNT_OF(steps); s++)
            play(&plays[i], steps[s]);
    }
    pool_fini(&pool);
}

Test(probe, t02_bytes_behind_the_answer_to_starttls)
{
    struct conf_backend backend = {.probe.timeout = 1000, .tls = CONF_TLS_STARTTLS};
    struct probe p;

    pool_init(&pool);
    probe_init(&p, &backend, &pool, 0);
    p.port.ask = 0;
    p.port.open = true;
    cr_assert(buf_append(&p.port.in, SLICE("* OK hi\r\nw1 OK go\r\n* CAPABILITY EVIL\r\n")));
    probe_step(&p, 1);
    cr_expect_str_eq(p.why, "bytes follow the answer to STARTTLS in clear");
    cr_expect_eq(p.port.ask, ASK_HANGUP);
    probe_fini(&p);
    pool_fini(&pool);
}

/* Opens, and secures if asked, so far as `phase`. */
static void reach(struct probe *p, const struct conf_backend *backend, const char *server)
{
    probe_init(p, backend, &pool, 100);
    p->port.ask = 0;
    if (server == NULL)
        return;
    p->port.open = true;
    cr_assert(buf_append(&p->port.in, slice_str(server)));
    probe_step(p, 100);
    p->port.ask = 0;
}

Test(probe, one_deadline_for_everything)
{
    static const struct {
        enum conf_tls_mode tls;
        const char *server;
        const char *why;
    } rows[] = {
        {CONF_TLS_NONE, NULL, "no connection in time"},
        {CONF_TLS_IMPLICIT, "", "no TLS handshake in time"},
        {CONF_TLS_NONE, "* OK h", "no greeting in time"},
        {CONF_TLS_STARTTLS, "* OK hi\r\n", "no STARTTLS in time"},
        {CONF_TLS_NONE, "* OK hi\r\n* CAPABILITY IMAP4rev1\r\n", "no capabilities in time"},
    };

    pool_init(&pool);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf_backend backend = {.probe.timeout = 1000, .tls = rows[i].tls};
        struct probe p;
        reach(&p, &backend, rows[i].server);
        probe_step(&p, 1099);
        cr_expect_not(probe_done(&p), "%s", rows[i].why);
        probe_step(&p, 1100);
        cr_expect(probe_done(&p) && !p.up, "%s", rows[i].why);
        cr_expect_str_eq(p.why, rows[i].why);
        cr_expect_not(caps_known(&p.caps));
        probe_fini(&p);
    }
    pool_fini(&pool);
}

Test(probe, what_the_shell_says_of_a_failure)
{
    struct conf_backend backend = {.probe.timeout = 1000, .tls = CONF_TLS_IMPLICIT};
    struct probe p;

    pool_init(&pool);
    for (int dialled = 0; dialled < 2; dialled++) {
        reach(&p, &backend, dialled ? "" : NULL);
        p.port.failed = true;
        snprintf(p.port.detail, sizeof(p.port.detail), "certificate has expired");
        probe_step(&p, 200);
        cr_expect(probe_done(&p));
        cr_expect_str_eq(p.why, "certificate has expired");
        probe_fini(&p);
    }
    pool_fini(&pool);
}

Test(probe, given_up)
{
    struct conf_backend backend = {.probe.timeout = 1000, .tls = CONF_TLS_NONE};
    struct probe p;

    pool_init(&pool);
    reach(&p, &backend, "");
    probe_give_up(&p, "stopping");
    cr_expect(probe_done(&p) && !p.up);
    cr_expect_str_eq(p.why, "stopping");
    probe_give_up(&p, "twice");
    cr_expect_str_eq(p.why, "stopping");
    probe_fini(&p);
    pool_fini(&pool);
}

Test(probe, round_trip_is_that_of_the_question)
{
    struct conf_backend backend = {.probe.timeout = 1000, .tls = CONF_TLS_NONE};
    struct probe p;

    pool_init(&pool);
    reach(&p, &backend, "* OK hi\r\n");
    cr_assert(buf_append(&p.port.in, SLICE(GOOD)));
    probe_step(&p, 142);
    cr_expect(p.up);
    cr_expect_eq(p.round_trip, 42);
    probe_fini(&p);
    pool_fini(&pool);
}

Test(probe, proxy_header_stands_before_everything)
{
    static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    static const struct {
        enum conf_proxy_header kind;
        struct slice wanted;
    } rows[] = {
        {CONF_PROXY_NONE, {"", 0}},
        {CONF_PROXY_V1, {"PROXY UNKNOWN\r\n", 15}},
        {CONF_PROXY_V2, {v2, 16}},
    };

    pool_init(&pool);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf_backend backend = {
            .probe.timeout = 1000, .tls = CONF_TLS_IMPLICIT, .proxy_header = rows[i].kind};
        struct probe p;
        reach(&p, &backend, "");
        cr_expect(slice_eq(buf_bytes(&p.port.out), rows[i].wanted), "row %zu: %zu bytes", i,
                  buf_len(&p.port.out));
        probe_fini(&p);
    }
    pool_fini(&pool);
}

Test(probe, without_memory_it_is_down)
{
    struct conf_backend backend = {.probe.timeout = 1000, .tls = CONF_TLS_NONE};
    struct probe p;

    pool_init(&pool);
    reach(&p, &backend, NULL);
    p.port.open = true;
    cr_assert(buf_append(&p.port.in, SLICE("* OK hi\r\n")));
    pool.fail_after = 0;
    probe_step(&p, 100);
    cr_expect(probe_done(&p) && !p.up);
    cr_expect_str_eq(p.why, "out of memory");
    pool.fail_after = -1;
    probe_fini(&p);
    pool_fini(&pool);
}
