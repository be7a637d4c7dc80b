/*
 * What a probe says, and what it makes of the answers.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/probe_play.h"

TestSuite(probe);

static struct pool pool;

static const struct probe_play plays[] = {
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
    for (size_t i = 0; i < COUNT_OF(plays); i++)
        probe_play(&plays[i], NULL);
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
        cr_expect(probe_done(&p) && !p.up && p.silent, "%s", rows[i].why);
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
        cr_expect_not(p.ours);
        probe_fini(&p);
    }
    pool_fini(&pool);
}

Test(probe, what_this_machine_lacks_is_told_apart)
{
    static const enum port_failure failures[] = {PORT_RESOLVE,      PORT_CONNECT,    PORT_IO,
                                                 PORT_TLS_PROTOCOL, PORT_TLS_VERIFY, PORT_MEMORY,
                                                 PORT_LOCAL,        PORT_UNREACHABLE};
    struct conf_backend backend = {.probe.timeout = 1000, .tls = CONF_TLS_IMPLICIT};
    struct probe p;

    pool_init(&pool);
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        reach(&p, &backend, NULL);
        p.port.failed = true;
        p.port.failure = failures[i];
        probe_step(&p, 200);
        cr_expect(probe_done(&p) && !p.up);
        cr_expect_eq(p.ours, i == 5 || i == 6, "failure %d", (int)failures[i]);
        cr_expect_eq(p.silent, i == 7, "failure %d", (int)failures[i]);
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
    cr_expect(p.ours);
    pool.fail_after = -1;
    probe_fini(&p);
    pool_fini(&pool);
}
