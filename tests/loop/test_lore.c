/*
 * What the sessions of one configuration learn from each other about the backends.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "run/lore.h"
#include "support/conf_text.h"

#define OWN SESSION_CAPABILITIES

static const char waypost[] =
    "{\"listeners\": [{\"name\": \"imaps\", \"address\": \"[::]:993\", \"tls\": \"implicit\"}, "
    "{\"name\": \"imap\", \"address\": \"[::]:143\", \"tls\": \"starttls\"}], "
    "\"tls\": {\"certificates\": [{\"chain\": \"c.pem\", \"key\": \"k.pem\"}]}, "
    "\"auth\": {\"mechanisms\": [\"PLAIN\", \"SCRAM-SHA-256\"]}}";
static const char two[] =
    "{\"backends\": {\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"}, "
    "\"west\": {\"address\": \"w.example:993\", \"tls\": \"implicit\"}}, "
    "\"routes\": [{\"domains\": {\"e.org\": \"east\"}}, {\"to\": \"west\"}]}";
/* West has moved, east has not, and south is new. */
static const char reloaded[] =
    "{\"backends\": {\"south\": {\"address\": \"s.example:993\", \"tls\": \"implicit\"}, "
    "\"west\": {\"address\": \"w.example:1993\", \"tls\": \"implicit\"}, "
    "\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"}}, "
    "\"routes\": [{\"to\": \"east\"}]}";

static struct conf *conf;
static struct lore lore;
static char lines[4096];
static struct str said;

static void keep_line(void *ctx, enum log_level level, struct slice line)
{
    UNUSED(ctx);
    str_addf(&said, "%s %.*s\n", log_level_name[level], SLICE_ARG(line));
}

static struct conf *load(const char *routes)
{
    struct conf_errors errors = {0};
    struct conf *loaded = NULL;

    cr_assert(conf_text_load(waypost, routes, NULL, &loaded, &errors));
    return loaded;
}

static void begin(void)
{
    said = STR_ON(lines);
    conf = load(two);
    cr_assert(lore_init(&lore, conf));
    lore_log_to(&lore, keep_line, NULL);
}

static void end(void)
{
    lore_fini(&lore);
    conf_release(&conf);
}

TestSuite(lore, .init = begin, .fini = end);

static void note(size_t backend, enum lore_when when, const char *words)
{
    lore.view.note(lore.view.ctx, &conf->routes->backends[backend], when, slice_str(words));
}

static const char *advertised(const struct lore *l, bool *scram)
{
    static char storage[LIMIT_CAPS];
    struct str words = STR_ON(storage);
    bool mechanisms[CONF_MECH_COUNT];

    memset(mechanisms, true, sizeof(mechanisms));
    l->view.advertise(l->view.ctx, &l->conf->listeners[0], &words, mechanisms);
    cr_expect(mechanisms[CONF_MECH_PLAIN]);
    cr_expect_not(mechanisms[CONF_MECH_LOGIN], "it is not enabled");
    *scram = mechanisms[CONF_MECH_SCRAM_SHA_256];
    return storage;
}

static void expect(const char *wanted, bool scram_wanted, const char *what)
{
    bool scram;

    cr_expect_str_eq(advertised(&lore, &scram), wanted, "%s", what);
    cr_expect_eq(scram, scram_wanted, "%s", what);
}

Test(lore, promises_follow_what_is_noted)
{
    expect(OWN, false, "nothing is known");
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 IDLE MOVE AUTH=PLAIN AUTH=SCRAM-SHA-256");
    expect(OWN, false, "nothing is known of the other");
    note(1, LORE_BEFORE_LOGIN, "IMAP4rev1 IDLE QUOTA AUTH=PLAIN AUTH=SCRAM-SHA-256");
    expect(OWN " IDLE", true, "both are known");
    note(1, LORE_AFTER_LOGIN, "IMAP4rev1 MOVE");
    expect(OWN " IDLE", true, "after login is another matter");
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 QUOTA AUTH=PLAIN");
    expect(OWN " QUOTA", false, "one has changed");
}

Test(lore, each_listener_by_the_rules_that_are_open_to_it)
{
    static const char routes[] =
        "{\"backends\": {\"east\": {\"address\": \"e.example:993\", \"tls\": \"implicit\"}, "
        "\"west\": {\"address\": \"w.example:993\", \"tls\": \"implicit\"}}, \"routes\": "
        "[{\"to\": \"west\", \"listener\": [\"imap\"]}, {\"to\": \"east\"}]}";
    static const struct {
        const char *listener, *words;
    } rows[] = {{"imaps", OWN " IDLE"}, {"imap", OWN}};

    end();
    conf = load(routes);
    cr_assert(lore_init(&lore, conf));
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 IDLE");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool mechanisms[CONF_MECH_COUNT] = {false};
        char storage[LIMIT_CAPS];
        struct str words = STR_ON(storage);
        cr_expect_str_eq(conf->listeners[i].name, rows[i].listener);
        lore.view.advertise(lore.view.ctx, &conf->listeners[i], &words, mechanisms);
        cr_expect_str_eq(storage, rows[i].words, "%s: %s", rows[i].listener, storage);
    }
}

Test(lore, a_session_that_asks_for_mechanisms_only)
{
    bool mechanisms[CONF_MECH_COUNT] = {[CONF_MECH_SCRAM_SHA_256] = true};

    lore.view.advertise(lore.view.ctx, &conf->listeners[0], NULL, mechanisms);
    for (size_t m = 0; m < CONF_MECH_COUNT; m++)
        cr_expect_not(mechanisms[m], "%zu", m);
}

Test(lore, recalls_what_was_seen_before_login)
{
    const struct conf_backend *backends = conf->routes->backends;
    struct caps caps = CAPS_UNKNOWN;

    cr_expect_not(lore.view.recall(lore.view.ctx, &backends[0], &caps));
    note(0, LORE_AFTER_LOGIN, "IMAP4rev1 MOVE");
    cr_expect_not(lore.view.recall(lore.view.ctx, &backends[0], &caps));
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 IDLE");
    cr_expect_not(lore.view.recall(lore.view.ctx, &backends[1], &caps));
    cr_assert(lore.view.recall(lore.view.ctx, &backends[0], &caps));
    cr_expect(slice_eq(caps_words(&caps), SLICE("IMAP4rev1 IDLE")));
    caps_clear(&caps);
}

Test(lore, each_change_is_logged_once)
{
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 IDLE");
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1  IDLE IDLE ");
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 IDLE");
    note(1, LORE_AFTER_LOGIN, "IMAP4rev1 MOVE");
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1");
    cr_expect_str_eq(lines, "info event=capabilities backend=east when=before-login "
                            "words=\"IMAP4rev1 IDLE\"\n"
                            "info event=capabilities backend=east when=before-login "
                            "words=IMAP4rev1\n");
}

Test(lore, channel_binding_is_warned_of_once)
{
    for (int i = 0; i < 3; i++)
        note(1, LORE_BEFORE_LOGIN, "IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS");
    cr_expect_not_null(strstr(lines, "warn event=channel_binding backend=west text="));
    cr_expect_null(strstr(strstr(lines, "channel_binding") + 1, "event=channel_binding"));
    said.len = 0;
    conf->auth.mechanisms[CONF_MECH_SCRAM_SHA_256] = false;
    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 AUTH=SCRAM-SHA-256-PLUS");
    cr_expect_null(strstr(lines, "channel_binding"), "nobody can use SCRAM");
}

Test(lore, a_reload_keeps_what_is_known_of_the_same_servers)
{
    struct conf *next = load(reloaded);
    struct caps caps = CAPS_UNKNOWN;
    struct lore other;
    bool scram;

    note(0, LORE_BEFORE_LOGIN, "IMAP4rev1 IDLE AUTH=SCRAM-SHA-256");
    note(1, LORE_BEFORE_LOGIN, "IMAP4rev1");
    cr_assert(lore_init(&other, next));
    lore_inherit(&other, &lore);
    cr_expect_str_eq(advertised(&other, &scram), OWN " IDLE");
    cr_expect(scram);
    cr_expect_not(other.view.recall(other.view.ctx, &next->routes->backends[0], &caps));
    cr_expect_not(other.view.recall(other.view.ctx, &next->routes->backends[1], &caps));
    cr_expect(other.view.recall(other.view.ctx, &next->routes->backends[2], &caps));
    caps_clear(&caps);
    lore_fini(&other);
    conf_release(&next);
}
