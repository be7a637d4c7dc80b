/*
 * What may be said before login: only what every backend is known to have that somebody can be
 * routed to.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/conf_text.h"
#include "waypost/route/advert.h"
#include "waypost/sasl/sasl.h"

TestSuite(advert);

#define OWN "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE"

#define WAYPOST                                                                     \
    "{\"listeners\": [{\"name\": \"imaps\", \"address\": \"[::]:993\", \"tls\": "   \
    "\"implicit\"}], \"tls\": {\"certificates\": [{\"chain\": \"c.pem\", \"key\": " \
    "\"k.pem\"}]}, \"auth\": {\"mechanisms\": [\"PLAIN\", \"LOGIN\", \"XOAUTH2\", " \
    "\"OAUTHBEARER\", \"SCRAM-SHA-1\", \"SCRAM-SHA-256\"], \"oauth_claim\": \"email\"}}"

#define ONE(name, more) \
    "\"" name "\": {\"address\": \"" name ".example:993\", \"tls\": \"implicit\"" more "}"
#define THREE "\"backends\": {" ONE("east", "") ", " ONE("west", "") ", " ONE("north", "") "}"

static struct conf *conf;
static struct caps known[3];
static bool reached[3];
static struct advert advert;

static void load(const char *backends, const char *rules)
{
    static char routes[4096];
    struct conf_errors errors = {0};

    snprintf(routes, sizeof(routes), "{%s, \"routes\": [%s]}", backends, rules);
    conf_release(&conf);
    cr_assert(conf_text_load(WAYPOST, routes, "carol\tnorth\ndave\twest\n", &conf, &errors),
              "%s: %s", errors.count == 0 ? "" : errors.list[0].pointer,
              errors.count == 0 ? "" : errors.list[0].text);
    advert_reach(conf->routes, NULL, reached);
}

/* NULL: nothing is known of that backend. */
static void know(const char *first, const char *second, const char *third)
{
    const char *const words[] = {first, second, third};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        caps_clear(&known[i]);
        if (words[i] != NULL)
            cr_assert(caps_set(&known[i], slice_str(words[i])));
    }
    advert_make(conf, reached, known, SLICE(OWN), &advert);
}

static void release(void)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        caps_clear(&known[i]);
    advert_clear(&advert);
    conf_release(&conf);
}

static void expect_words(const char *wanted, const char *what)
{
    cr_expect(slice_eq(caps_words(&advert.words), slice_str(wanted)), "%s: %.*s", what,
              SLICE_ARG(caps_words(&advert.words)));
}

static const char *mechanisms(void)
{
    static char storage[256];
    struct str text = STR_ON(storage);

    sasl_advertise(advert.mechanisms, &text);
    return storage;
}

Test(advert, reach_is_what_a_rule_leads_to)
{
    static const struct {
        const char *rules, *reached;
    } rows[] = {
        {"{\"deny\": true}", "---"},
        {"{\"to\": \"west\"}", "-w-"},
        {"{\"users\": {\"a\": \"east\"}}", "e--"},
        {"{\"users\": {\"a\": \"east\", \"b\": \"north\"}}, {\"to\": \"east\"}", "e-n"},
        {"{\"users_file\": \"users.tsv\"}", "-wn"},
        {"{\"domains\": {\"a.org\": \"west\", \"*.b.org\": \"north\"}}", "-wn"},
        {"{\"domains\": {\"a.org\": \"west\"}}, {\"deny\": true}", "-w-"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        load(THREE, rows[i].rules);
        for (size_t b = 0; b < 3; b++)
            cr_expect_eq(reached[b], rows[i].reached[b] != '-', "%s", rows[i].rules);
    }
    release();
}

Test(advert, reach_depends_on_the_listener)
{
    load(THREE, "{\"users\": {\"a\": \"east\"}, \"listener\": [\"imaps\"]}, "
                "{\"to\": \"north\", \"client\": [\"192.0.2.0/24\"]}, {\"to\": \"west\"}");
    cr_expect(reached[0] && reached[1] && reached[2], "from anywhere");
    advert_reach(conf->routes, "imaps", reached);
    cr_expect(reached[0] && reached[1] && reached[2], "from the listener of the rule");
    advert_reach(conf->routes, "other", reached);
    cr_expect(!reached[0] && reached[1] && reached[2], "from another");
    release();
}

Test(advert, words_are_the_common_ones)
{
    static const struct {
        const char *what, *east, *west, *words;
    } rows[] = {
        {"nothing is known", NULL, NULL, OWN},
        {"one is not known", "IMAP4rev1 IDLE", NULL, OWN},
        {"the first is not known", NULL, "IMAP4rev1 IDLE", OWN},
        {"nothing in common", "IMAP4rev1 IDLE", "IMAP4rev1 NAMESPACE", OWN},
        {"some", "IMAP4rev1 IDLE MOVE NAMESPACE", "NAMESPACE idle QUOTA", OWN " IDLE NAMESPACE"},
        {"own ones only once", "IDLE ID ENABLE IMAP4rev1", "IDLE ENABLE ID IMAP4rev1", OWN " IDLE"},
        {"a newer protocol", "IMAP4rev1 IMAP4rev2", "IMAP4rev2 IMAP4rev1", OWN " IMAP4rev2"},
        {"a part of a word", "IDLE MOVED", "IDL MOVE", OWN},
        {"an empty list", "", "IDLE", OWN},
        {"what the proxy cannot carry",
         "STARTTLS LOGINDISABLED AUTH=PLAIN AUTH=SCRAM-SHA-1-PLUS LOGIN-REFERRALS UNAUTHENTICATE "
         "LITERAL- COMPRESS=DEFLATE SASL-IR MOVE",
         "STARTTLS LOGINDISABLED AUTH=PLAIN AUTH=SCRAM-SHA-1-PLUS LOGIN-REFERRALS UNAUTHENTICATE "
         "LITERAL- COMPRESS=DEFLATE SASL-IR MOVE",
         OWN " MOVE"},
    };

    load(THREE, "{\"users\": {\"a\": \"east\"}}, {\"to\": \"west\"}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        know(rows[i].east, rows[i].west, "NEVER REACHED");
        expect_words(rows[i].words, rows[i].what);
    }
    release();
}

Test(advert, what_one_backend_hides_is_said_for_none)
{
    load("\"backends\": {" ONE("east", ", \"hide_capabilities\": [\"MOVE\"]") ", " ONE(
             "west", ", \"hide_capabilities\": [\"X-*\"]") ", " ONE("north", "") "}",
         "{\"users\": {\"a\": \"east\"}}, {\"to\": \"west\"}");
    know("IDLE MOVE X-ONE", "X-ONE MOVE IDLE", NULL);
    expect_words(OWN " IDLE", "hidden by one each");
    release();
}

Test(advert, a_list_that_is_too_long_is_no_reason_to_say_nothing)
{
    static char words[4000];
    struct str text = STR_ON(words);

    for (unsigned i = 0; text.len < sizeof(words) - 10; i++)
        str_addf(&text, "%sX-%u", i > 0 ? " " : "", i);
    load(THREE, "{\"to\": \"east\"}");
    know(words, NULL, NULL);
    cr_expect(caps_has(&advert.words, SLICE("X-1")));
    while (text.len < sizeof(words) - 2)
        str_addc(&text, 'y');
    know(words, NULL, NULL);
    cr_expect(caps_has(&advert.words, SLICE("X-1")));
    cr_expect(slice_starts(caps_words(&advert.words), SLICE(OWN " ")));
    release();
}

#define PASSWORD " AUTH=PLAIN AUTH=LOGIN"
#define EVERY    "AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256"

Test(advert, mechanisms_are_those_that_all_backends_take)
{
    static const struct {
        const char *what, *east, *west, *mechanisms;
    } rows[] = {
        {"nothing is known", NULL, NULL, PASSWORD},
        {"one is not known", EVERY, NULL, PASSWORD},
        {"both take tokens", "AUTH=XOAUTH2", "auth=xoauth2 AUTH=OAUTHBEARER",
         PASSWORD " AUTH=XOAUTH2"},
        {"only the variant with channel binding", "AUTH=SCRAM-SHA-256-PLUS",
         "AUTH=SCRAM-SHA-256-PLUS", PASSWORD},
        {"all", EVERY, EVERY,
         PASSWORD " AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256"},
        {"no way to log in with a password", "IMAP4rev1 LOGINDISABLED", "IMAP4rev1 LOGINDISABLED",
         PASSWORD},
    };

    load(THREE, "{\"users\": {\"a\": \"east\"}}, {\"to\": \"west\"}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        know(rows[i].east, rows[i].west, NULL);
        cr_expect_str_eq(mechanisms(), rows[i].mechanisms, "%s: %s", rows[i].what, mechanisms());
    }
    conf->auth.mechanisms[CONF_MECH_XOAUTH2] = conf->auth.mechanisms[CONF_MECH_LOGIN] = false;
    know("AUTH=XOAUTH2", "AUTH=XOAUTH2", NULL);
    cr_expect_str_eq(mechanisms(), " AUTH=PLAIN", "what is not enabled is never offered");
    release();
}

Test(advert, each_mechanism_by_what_the_backend_takes_and_how_it_is_forwarded)
{
    static const struct {
        enum conf_mechanism mechanism;
        enum conf_forward forward;
        const char *declared, *known; /* NULL: neither */
        bool takes;
    } rows[] = {
        {CONF_MECH_PLAIN, CONF_FORWARD_SAME, NULL, NULL, false},
        {CONF_MECH_PLAIN, CONF_FORWARD_SAME, NULL, "AUTH=PLAIN LOGINDISABLED", true},
        {CONF_MECH_PLAIN, CONF_FORWARD_SAME, NULL, "LOGINDISABLED", false},
        {CONF_MECH_PLAIN, CONF_FORWARD_SAME, NULL, "IMAP4rev1", true},
        {CONF_MECH_LOGIN, CONF_FORWARD_SAME, NULL, "AUTH=PLAIN LOGINDISABLED", true},
        {CONF_MECH_LOGIN, CONF_FORWARD_PLAIN, NULL, "IMAP4rev1", false},
        {CONF_MECH_PLAIN, CONF_FORWARD_LOGIN, NULL, "AUTH=PLAIN LOGINDISABLED", false},
        {CONF_MECH_PLAIN, CONF_FORWARD_LOGIN, "s", NULL, true},
        {CONF_MECH_PLAIN, CONF_FORWARD_XOAUTH2, NULL, "AUTH=PLAIN", false},
        {CONF_MECH_PLAIN, CONF_FORWARD_XOAUTH2, NULL, "AUTH=XOAUTH2", true},
        {CONF_MECH_XOAUTH2, CONF_FORWARD_SAME, NULL, NULL, false},
        {CONF_MECH_XOAUTH2, CONF_FORWARD_SAME, "x", NULL, true},
        {CONF_MECH_XOAUTH2, CONF_FORWARD_SAME, "o", "AUTH=XOAUTH2", false},
        {CONF_MECH_XOAUTH2, CONF_FORWARD_SAME, NULL, "AUTH=OAUTHBEARER", false},
        {CONF_MECH_XOAUTH2, CONF_FORWARD_OAUTHBEARER, NULL, "AUTH=OAUTHBEARER", true},
        {CONF_MECH_XOAUTH2, CONF_FORWARD_OAUTHBEARER, NULL, "AUTH=XOAUTH2", false},
        {CONF_MECH_OAUTHBEARER, CONF_FORWARD_XOAUTH2, "x", NULL, true},
        {CONF_MECH_OAUTHBEARER, CONF_FORWARD_PLAIN, NULL, "AUTH=PLAIN LOGINDISABLED", true},
        {CONF_MECH_OAUTHBEARER, CONF_FORWARD_PLAIN, NULL, "AUTH=OAUTHBEARER", false},
        {CONF_MECH_OAUTHBEARER, CONF_FORWARD_PLAIN, "p", NULL, true},
        {CONF_MECH_OAUTHBEARER, CONF_FORWARD_LOGIN, NULL, "IMAP4rev1", true},
        {CONF_MECH_OAUTHBEARER, CONF_FORWARD_LOGIN, NULL, "LOGINDISABLED", false},
        {CONF_MECH_OAUTHBEARER, CONF_FORWARD_LOGIN, NULL, NULL, false},
        {CONF_MECH_SCRAM_SHA_256, CONF_FORWARD_PLAIN, NULL, "AUTH=PLAIN", false},
        {CONF_MECH_SCRAM_SHA_256, CONF_FORWARD_PLAIN, NULL, "AUTH=SCRAM-SHA-256", true},
        {CONF_MECH_SCRAM_SHA_256, CONF_FORWARD_SAME, "s", NULL, true},
        {CONF_MECH_SCRAM_SHA_1, CONF_FORWARD_SAME, "s", "AUTH=SCRAM-SHA-1", false},
        {CONF_MECH_EXTERNAL, CONF_FORWARD_SAME, "pxos", EVERY " AUTH=EXTERNAL", false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *declared = rows[i].declared;
        struct caps caps = CAPS_UNKNOWN;
        struct conf_backend backend = {
            .auth_forward = rows[i].forward,
            .mechanisms_declared = declared != NULL,
        };
        if (declared != NULL) {
            backend.mechanisms[CONF_MECH_PLAIN] = strchr(declared, 'p') != NULL;
            backend.mechanisms[CONF_MECH_XOAUTH2] = strchr(declared, 'x') != NULL;
            backend.mechanisms[CONF_MECH_OAUTHBEARER] = strchr(declared, 'o') != NULL;
            backend.mechanisms[CONF_MECH_SCRAM_SHA_256] = strchr(declared, 's') != NULL;
        }
        if (rows[i].known != NULL)
            cr_assert(caps_set(&caps, slice_str(rows[i].known)));
        cr_expect_eq(advert_takes(&backend, &caps, rows[i].mechanism), rows[i].takes, "row %zu", i);
        caps_clear(&caps);
    }
}

Test(advert, certificates_need_a_master_user_everywhere)
{
    static char master[] = "proxy";
    struct conf_backend *backends;

    load(THREE, "{\"users\": {\"a\": \"east\"}}, {\"to\": \"west\"}");
    backends = conf->routes->backends;
    conf->auth.mechanisms[CONF_MECH_EXTERNAL] = true;
    backends[0].master_user = master;
    know(NULL, NULL, NULL);
    cr_expect_str_eq(mechanisms(), PASSWORD);
    backends[1].master_user = master;
    know(NULL, NULL, NULL);
    cr_expect_str_eq(mechanisms(), PASSWORD " AUTH=EXTERNAL");
    backends[0].master_user = backends[1].master_user = NULL;
    release();
}
