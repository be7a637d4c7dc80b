/*
 * SASL: the mechanisms as a client sees them, what they accept, and that nothing stays behind.
 */
#include <criterion/criterion.h>

#include "support/sasl_try.h"
#include "waypost/base/limits.h"

static enum result respond(struct sasl *s, struct slice response, struct credentials *c)
{
    struct slice challenge = SLICE("untouched");

    return s->row->respond(s, response, c, &challenge);
}

static void expect(struct secret *s, const char *text)
{
    cr_expect(slice_eq(secret_reveal(s), slice_str(text)), "not %s", text);
}

Test(sasl, t36_plain_accepts)
{
    const struct {
        struct slice message;
        const char *authzid, *authcid, *password;
    } rows[] = {
        {SLICE("\0alice\0secret"), "", "alice", "secret"},
        {SLICE("\0alice@example.org\0 sp ace "), "", "alice@example.org", " sp ace "},
        {SLICE("bob\0alice\0secret"), "bob", "alice", "secret"},
        {SLICE("alice\0alice\0secret"), "", "alice", "secret"},
        {SLICE("Alice\0alice\0secret"), "Alice", "alice", "secret"},
        {SLICE("\0j\xC3\xBCrgen\0p\xC3\xA4ss"), "", "j\xC3\xBCrgen", "p\xC3\xA4ss"},
        {SLICE("\0alice\0latin1-\xFC"), "", "alice", "latin1-\xFC"},
        {SLICE("\0alice\0tab\tbed"), "", "alice", "tab\tbed"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        struct sasl s = sasl_begin("PLAIN");
        cr_expect_eq(respond(&s, rows[i].message, &c), DONE, "row %zu", i);
        expect(&c.authzid, rows[i].authzid);
        expect(&c.authcid, rows[i].authcid);
        expect(&c.password, rows[i].password);
        credentials_clear(&c);
        cr_expect(sasl_is_empty(&c));
    }
}

Test(sasl, t36_plain_refuses)
{
    const struct slice rows[] = {
        SLICE(""),                  /* T32: "=" is an empty response, not an absent one */
        SLICE("alice"),             /* no NUL */
        SLICE("\0alice"),           /* one */
        SLICE("alice\0secret"),     /* one, as if the authzid had been forgotten */
        SLICE("\0alice\0secret\0"), /* three */
        SLICE("\0alice\0sec\0ret"), /* three */
        SLICE("\0\0secret"),        /* no user */
        SLICE("bob\0\0secret"),     /* an authzid is no user */
        SLICE("\0alice\0"),         /* no password */
        SLICE("\0\0"),              /* nothing */
        SLICE("\0al\rice\0secret"), /* control characters */
        SLICE("\0al\x7F"
              "ice\0secret"),              /* DEL */
        SLICE("\0al\xC2\x85ice\0secret"),  /* NEL, a C1 control */
        SLICE("b\nb\0alice\0secret"),      /* in the authzid */
        SLICE("\0al\xC0\xAFice\0secret"),  /* overlong UTF-8 */
        SLICE("\0al\xED\xA0\x80\0secret"), /* a surrogate */
        SLICE("\0alice\xFC\0secret"),      /* Latin-1 */
        SLICE("\xFF\0alice\0secret"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        struct sasl s = sasl_begin("PLAIN");
        cr_assert(secret_set(&c.password, SLICE("from before")));
        cr_expect_eq(respond(&s, rows[i], &c), BAD, "row %zu", i);
        cr_expect(sasl_is_empty(&c), "row %zu left something", i);
    }
}

Test(sasl, t36_names_of_255_bytes_and_no_more)
{
    char message[2 * LIMIT_USER + 8];

    for (size_t zid = 0; zid <= LIMIT_USER + 1; zid += LIMIT_USER) {
        for (size_t len = LIMIT_USER - 1; len <= LIMIT_USER + 1; len++) {
            struct credentials c = {0};
            struct sasl s = sasl_begin("PLAIN");
            struct str text = STR_ON(message);
            for (size_t i = 0; i < zid; i++)
                str_addc(&text, 'z');
            str_addc(&text, '\0');
            for (size_t i = 0; i < len; i++)
                str_addc(&text, 'a');
            str_add(&text, SLICE("\0pw"));
            cr_assert_not(text.overflow);
            cr_expect_eq(respond(&s, str_slice(&text), &c), len <= LIMIT_USER ? DONE : BAD);
            cr_expect_eq(c.authcid.len, len <= LIMIT_USER ? len : 0);
            credentials_clear(&c);
        }
    }
}

Test(sasl, t32_an_empty_initial_response_is_a_response)
{
    static const struct {
        const char *name;
        enum result result;
    } rows[] = {
        {"PLAIN", BAD},       {"LOGIN", BAD},         {"XOAUTH2", BAD},   {"OAUTHBEARER", BAD},
        {"SCRAM-SHA-1", BAD}, {"SCRAM-SHA-256", BAD}, {"EXTERNAL", DONE},
    };
    static_assert(COUNT_OF(rows) == CONF_MECH_COUNT, "every mechanism");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        cr_expect_eq(sasl_try(rows[i].name, SLICE(""), &c), rows[i].result, "%s", rows[i].name);
        credentials_clear(&c);
    }
}

/* LOGIN asks first, but clients send the name along, and there is no other way to read it. */
Test(sasl, t34_every_mechanism_here_takes_an_initial_response)
{
    for (size_t i = 0; i < CONF_MECH_COUNT; i++) {
        bool one[CONF_MECH_COUNT] = {false};
        char storage[64];
        struct str out = STR_ON(storage);
        one[i] = true;
        sasl_advertise(one, &out);
        const struct sasl_row *row = sasl_find(slice_skip(str_slice(&out), 6), one);
        cr_assert_not_null(row, "%s", storage);
        cr_expect_eq(row->mechanism, i);
        cr_expect(row->client_first, "%s", row->name);
        cr_expect_eq(row->first().len > 0, i == CONF_MECH_LOGIN, "%s", row->name);
    }
}

Test(sasl, external_names_at_most_whom_to_act_as)
{
    const struct {
        struct slice message;
        bool good;
    } rows[] = {
        {SLICE(""), true},           {SLICE("bob@example.org"), true}, {SLICE("j\xC3\xBC"), true},
        {SLICE("b\0b"), false},      {SLICE("b\r\nb"), false},         {SLICE("\xFF"), false},
        {SLICE("\0bob\0pw"), false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        cr_expect_eq(sasl_try("EXTERNAL", rows[i].message, &c), rows[i].good ? DONE : BAD,
                     "row %zu", i);
        if (rows[i].good) {
            cr_expect_eq(c.kind, CREDENTIAL_CERTIFICATE);
            cr_expect_eq(c.authcid.len, 0);
            cr_expect(slice_eq(secret_reveal(&c.authzid), rows[i].message), "row %zu", i);
        }
        credentials_clear(&c);
    }
}

Test(sasl, t23_what_could_end_a_line_elsewhere_is_refused)
{
    const struct slice passwords[] = {SLICE("a\rb"), SLICE("a\nb"), SLICE("a\0b"), SLICE("\r\n"),
                                      SLICE("a\r\nx LOGOUT")};

    for (size_t i = 0; i < COUNT_OF(passwords); i++) {
        char storage[64];
        struct credentials c = {0};
        struct sasl login = sasl_begin("LOGIN"), plain = sasl_begin("PLAIN");
        struct str message = STR_ON(storage);
        cr_expect_eq(respond(&login, SLICE("alice"), &c), CONTINUE);
        cr_expect_eq(respond(&login, passwords[i], &c), BAD, "row %zu", i);
        cr_expect(sasl_is_empty(&c));
        str_add(&message, SLICE("\0alice\0"));
        str_add(&message, passwords[i]);
        cr_expect_eq(respond(&plain, str_slice(&message), &c), BAD, "row %zu", i);
        cr_expect(sasl_is_empty(&c));
    }
}

Test(sasl, login_asks_for_name_then_password)
{
    struct credentials c = {0};
    struct sasl s = sasl_begin("LOGIN");
    struct slice challenge = SLICE("");

    cr_expect(slice_eq(s.row->first(), SLICE("Username:")));
    cr_expect_eq(s.row->respond(&s, SLICE("alice"), &c, &challenge), CONTINUE);
    cr_expect(slice_eq(challenge, SLICE("Password:")));
    cr_expect_eq(s.row->respond(&s, SLICE("secret"), &c, &challenge), DONE);
    expect(&c.authcid, "alice");
    expect(&c.authzid, "");
    expect(&c.password, "secret");
    credentials_clear(&c);
}

Test(sasl, login_refuses)
{
    struct credentials c = {0};
    struct sasl s = sasl_begin("LOGIN");

    cr_expect_eq(respond(&s, SLICE("al\0ice"), &c), BAD);
    cr_expect(sasl_is_empty(&c));
    cr_expect_eq(respond(&s, SLICE("alice"), &c), CONTINUE);
    cr_expect_eq(respond(&s, SLICE(""), &c), BAD);
    cr_expect(sasl_is_empty(&c));
}

Test(sasl, a_finished_exchange_may_begin_anew)
{
    struct credentials c = {0};
    struct sasl s = sasl_begin("LOGIN");

    cr_expect_eq(respond(&s, SLICE("alice"), &c), CONTINUE);
    cr_expect_eq(respond(&s, SLICE("secret"), &c), DONE);
    cr_expect_eq(respond(&s, SLICE("bob"), &c), CONTINUE);
    expect(&c.authcid, "bob");
    expect(&c.password, "");
    cr_expect_eq(respond(&s, SLICE("hidden"), &c), DONE);
    expect(&c.password, "hidden");
    credentials_clear(&c);
}

Test(sasl, plain_speaks_second_with_an_empty_challenge)
{
    cr_expect_eq(sasl_begin("PLAIN").row->first().len, 0);
}

Test(sasl, mechanisms_are_found_by_name_if_enabled)
{
    static const bool login_only[CONF_MECH_COUNT] = {[CONF_MECH_LOGIN] = true};

    cr_expect_not_null(sasl_find(SLICE("plain"), sasl_all));
    cr_expect_eq(sasl_find(SLICE("Login"), sasl_all)->mechanism, CONF_MECH_LOGIN);
    cr_expect_null(sasl_find(SLICE("PLAIN"), login_only));
    cr_expect_null(sasl_find(SLICE("PLAI"), sasl_all));
    cr_expect_null(sasl_find(SLICE("PLAINX"), sasl_all));
    cr_expect_null(sasl_find(SLICE(""), sasl_all));
    cr_expect_null(sasl_find(SLICE("CRAM-MD5"), sasl_all));
    cr_expect_null(sasl_find(SLICE("SCRAM-SHA-256-PLUS"), sasl_all));
    cr_expect_null(sasl_find(SLICE("SCRAM-SHA-25"), sasl_all));
}

Test(sasl, only_what_is_enabled_is_advertised)
{
    static const bool none[CONF_MECH_COUNT] = {false};
    char storage[128];
    struct str out = STR_ON(storage);

    sasl_advertise(none, &out);
    cr_expect_str_eq(storage, "");
    sasl_advertise(sasl_all, &out);
    cr_expect_str_eq(storage, " AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER "
                              "AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=EXTERNAL");
}

Test(sasl, the_plain_message_reads_back)
{
    char storage[64];
    struct str out = STR_ON(storage);
    struct credentials c = {0};
    struct sasl s = sasl_begin("PLAIN");

    cr_assert(sasl_plain_message(SLICE("bob"), SLICE("alice"), SLICE("secret"), &out));
    cr_expect(slice_eq(str_slice(&out), SLICE("bob\0alice\0secret")));
    cr_expect_eq(respond(&s, str_slice(&out), &c), DONE);
    expect(&c.authzid, "bob");
    credentials_clear(&c);
}

Test(sasl, the_plain_message_refuses_what_would_read_back_differently)
{
    const struct {
        struct slice authzid, authcid, password;
    } rows[] = {
        {SLICE("bo\0b"), SLICE("alice"), SLICE("secret")},
        {SLICE(""), SLICE("al\0ice"), SLICE("pw")},
        {SLICE(""), SLICE("alice"), SLICE("p\0w")},
        {SLICE(""), SLICE(""), SLICE("secret")},
        {SLICE(""), SLICE("alice"), SLICE("")},
        {SLICE(""), SLICE("alice"), SLICE("longer than the builder")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[16];
        struct str out = STR_ON(storage);
        cr_expect_not(sasl_plain_message(rows[i].authzid, rows[i].authcid, rows[i].password, &out),
                      "row %zu", i);
    }
}
