/*
 * A probe that logs in.
 */
#include <criterion/criterion.h>

#include "support/probe_play.h"

TestSuite(probe_login);

#define OFFER(words) "* OK hi\r\n* CAPABILITY IMAP4rev1 " words "\r\nw2 OK done\r\n"
#define LOGIN        "w3 LOGIN probe secret\r\n"
#define PLAIN        "AHByb2JlAHNlY3JldA==" /* NUL probe NUL secret */

static const struct {
    const char *password;
    struct probe_play play;
} logins[] = {
    {"secret", {"LOGIN", CONF_TLS_NONE, OFFER("IDLE") "w3 OK in\r\n", ASK LOGIN BYE, NULL, WORDS}},
    {"a \"b",
     {"LOGIN with a quoted password", CONF_TLS_NONE, OFFER("IDLE") "w3 OK in\r\n",
      ASK "w3 LOGIN probe \"a \\\"b\"\r\n" BYE, NULL, WORDS}},
    {"secret",
     {"PLAIN at once", CONF_TLS_IMPLICIT, "|" OFFER("AUTH=PLAIN SASL-IR") "w3 OK in\r\n",
      "|" ASK "w3 AUTHENTICATE PLAIN " PLAIN "\r\n" BYE, NULL, "IMAP4rev1 AUTH=PLAIN SASL-IR"}},
    {"secret",
     {"PLAIN in two steps", CONF_TLS_STARTTLS,
      "* OK hi\r\nw1 OK go\r\n|" OFFER(
          "AUTH=PLAIN LOGINDISABLED") "+ \r\n* OK wait\r\nw3 OK in\r\n",
      START "|" ASK "w3 AUTHENTICATE PLAIN\r\n" PLAIN "\r\n" BYE, NULL,
      "IMAP4rev1 AUTH=PLAIN LOGINDISABLED"}},
    {"\xC3\xA4",
     {"eight bits by PLAIN", CONF_TLS_NONE, OFFER("AUTH=PLAIN SASL-IR") "w3 OK in\r\n",
      ASK "w3 AUTHENTICATE PLAIN AHByb2JlAMOk\r\n" BYE, NULL, "IMAP4rev1 AUTH=PLAIN SASL-IR"}},
    {"\xC3\xA4",
     {"eight bits and no PLAIN", CONF_TLS_NONE, OFFER("IDLE"), ASK,
      "offers no login that the probe can use", NULL}},
    {"secret",
     {"no login at all", CONF_TLS_NONE, OFFER("LOGINDISABLED AUTH=XOAUTH2"), ASK,
      "offers no login that the probe can use", NULL}},
    {"secret",
     {"capabilities after login are not those before", CONF_TLS_NONE,
      OFFER("IDLE") "* CAPABILITY IMAP4rev1 QUOTA\r\nw3 OK [CAPABILITY IMAP4rev1 QUOTA] in\r\n",
      ASK LOGIN BYE, NULL, WORDS}},
    {"secret",
     {"wrong, with the code for it", CONF_TLS_NONE,
      OFFER("IDLE") "w3 NO [AUTHENTICATIONFAILED] sorry\r\n", ASK LOGIN,
      "refuses the probe's user or password: sorry", NULL}},
    {"secret",
     {"wrong, without a code", CONF_TLS_NONE, OFFER("IDLE") "w3 NO sorry\r\n", ASK LOGIN,
      "refuses the probe's user or password: sorry", NULL}},
    {"secret",
     {"an outage behind the backend", CONF_TLS_NONE,
      OFFER("IDLE") "w3 NO [UNAVAILABLE] no storage\r\n", ASK LOGIN,
      "the probe's login failed with UNAVAILABLE: no storage", NULL}},
    {"secret",
     {"BAD", CONF_TLS_NONE, OFFER("IDLE") "w3 BAD what\r\n", ASK LOGIN,
      "does not understand the probe's login: what", NULL}},
    {"secret",
     {"BYE", CONF_TLS_NONE, OFFER("IDLE") "* BYE busy\r\n", ASK LOGIN,
      "said BYE to the probe's login: busy", NULL}},
    {"secret", {"the end", CONF_TLS_NONE, OFFER("IDLE"), ASK LOGIN, "closed the connection", NULL}},
    {"secret",
     {"a question", CONF_TLS_NONE, OFFER("IDLE") "+ more\r\n", ASK LOGIN,
      "asks for more than a user and a password", NULL}},
    {"secret",
     {"a second question", CONF_TLS_NONE, OFFER("AUTH=PLAIN") "+ \r\n+ \r\n",
      ASK "w3 AUTHENTICATE PLAIN\r\n" PLAIN "\r\n", "asks for more than a user and a password",
      NULL}},
    {"secret",
     {"OK to nothing", CONF_TLS_NONE, OFFER("AUTH=PLAIN") "w3 OK in\r\n",
      ASK "w3 AUTHENTICATE PLAIN\r\n", "does not understand the probe's login: in", NULL}},
    {"secret",
     {"nothing is sent before TLS", CONF_TLS_STARTTLS,
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n", "", "STARTTLS is not offered",
      NULL}},
};

Test(probe_login, dialogues)
{
    for (size_t i = 0; i < COUNT_OF(logins); i++)
        probe_play(&logins[i].play, logins[i].password);
}

Test(probe_login, a_password_that_fits_no_command)
{
    static char text[20000];
    struct probe_play row = {"long",
                             CONF_TLS_NONE,
                             OFFER("AUTH=PLAIN SASL-IR"),
                             ASK,
                             "the probe's user or password does not fit a command",
                             NULL};

    memset(text, 'x', sizeof(text) - 1);
    probe_play(&row, text);
    row.server = OFFER("IDLE");
    probe_play(&row, text);
}

/* Others judge logins behind the backend: it is down, but it is there. */
Test(probe_login, no_verdict_is_not_silence)
{
    char user[] = "probe";
    struct conf_backend backend = {.probe.timeout = 1000, .tls = CONF_TLS_NONE, .probe_user = user};
    struct pool pool;
    struct probe p;

    pool_init(&pool);
    cr_assert(secret_set(&backend.probe_password, SLICE("secret")));
    probe_init(&p, &backend, &pool, 0);
    p.port.ask = 0;
    p.port.open = true;
    cr_assert(buf_append(&p.port.in, SLICE(OFFER("IDLE"))));
    probe_step(&p, 999);
    cr_expect_not(probe_done(&p));
    probe_step(&p, 1000);
    cr_expect(probe_done(&p) && !p.up && !p.silent);
    cr_expect_str_eq(p.why, "no answer to the probe's login in time");
    probe_fini(&p);
    secret_clear(&backend.probe_password);
    pool_fini(&pool);
}
