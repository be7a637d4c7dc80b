/*
 * Bearer tokens: the messages of XOAUTH2 and OAUTHBEARER, and the user inside a token.
 */
#include <criterion/criterion.h>

#include "support/sasl_try.h"
#include "waypost/base/base64.h"
#include "waypost/base/limits.h"

TestSuite(oauth);

#define A "\x01" /* what separates the fields */

Test(oauth, t36_xoauth2_accepts_one_form)
{
    const struct {
        struct slice message;
        const char *user, *token; /* NULL: refused */
    } rows[] = {
        {SLICE("user=alice@example.org" A "auth=Bearer ya29.vF9_-~+/==" A A), "alice@example.org",
         "ya29.vF9_-~+/=="},
        {SLICE("user=alice" A "auth=bearer t" A A), "alice", "t"},
        {SLICE("user=alice" A "auth=Bearer   t" A A), "alice", "t"},
        {SLICE("user=a=b,c" A "auth=Bearer t" A A), "a=b,c", "t"},
        {SLICE("user=j\xC3\xBCrgen" A "auth=Bearer t" A A), "j\xC3\xBCrgen", "t"},
        {SLICE(""), NULL, NULL},
        {SLICE(A), NULL, NULL}, /* what answers an error does not begin */
        {SLICE("user=" A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("auth=Bearer t" A "user=alice" A A), NULL, NULL},
        {SLICE("User=alice" A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Basic t" A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer" A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer " A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer t t" A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer t\r\n" A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer t\0" A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer \xC3\xBC" A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer t" A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer t"), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer t" A A A), NULL, NULL},
        {SLICE("user=alice" A "auth=Bearer t" A "user=bob" A A), NULL, NULL},
        {SLICE("user=alice" A "user=bob" A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("user=al\rice" A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("user=al\0ice" A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("user=al\xC0\xAF" A "auth=Bearer t" A A), NULL, NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        enum result result = sasl_try("XOAUTH2", rows[i].message, &c);
        cr_expect_eq(result, rows[i].user == NULL ? BAD : DONE, "row %zu", i);
        if (result != DONE)
            continue;
        cr_expect_eq(c.kind, CREDENTIAL_TOKEN);
        cr_expect(sasl_holds(&c.authcid, rows[i].user), "row %zu", i);
        cr_expect(sasl_holds(&c.password, rows[i].token), "row %zu", i);
        cr_expect(slice_eq(secret_reveal(&c.message), rows[i].message), "row %zu", i);
        cr_expect_eq(c.authzid.len, 0);
        credentials_clear(&c);
        cr_expect(sasl_is_empty(&c));
    }
}

Test(oauth, t38_oauthbearer_may_leave_the_user_to_the_token)
{
    const struct {
        struct slice message;
        const char *user, *token; /* NULL: refused */
    } rows[] = {
        {SLICE("n,a=alice@example.org," A "auth=Bearer t" A A), "alice@example.org", "t"},
        {SLICE("n,a=alice," A "host=mail" A "port=143" A "auth=Bearer t" A A), "alice", "t"},
        {SLICE("n,a=alice," A "auth=Bearer t" A "path=/ x=y\r\n\t" A A), "alice", "t"},
        {SLICE("y,a=alice," A "auth=Bearer t" A A), "alice", "t"},
        {SLICE("n,a=a=2Cb=3Dc," A "auth=Bearer t" A A), "a,b=c", "t"},
        {SLICE("n,," A "auth=Bearer t" A A), "", "t"},
        {SLICE("n,," A "Auth=bearer t" A A), "", "t"},
        {SLICE(""), NULL, NULL},
        {SLICE(A), NULL, NULL},
        {SLICE("n,,"), NULL, NULL},
        {SLICE("n,," A), NULL, NULL},
        {SLICE("n,," A A), NULL, NULL},
        {SLICE("n,," A "host=mail" A A), NULL, NULL},
        {SLICE("n,,auth=Bearer t" A A), NULL, NULL},
        {SLICE("n," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,a=," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,b=alice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,a=al=2cice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,a=al=ice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,a=al\nice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,a=alice,a=bob," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("x,a=alice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE(",a=alice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("F,n,a=alice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("p=tls-exporter,a=alice," A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A "auth=Bearer u" A A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A "AUTH=Bearer u" A A), NULL, NULL},
        {SLICE("n,a=alice," A "auth=Bearer t" A "user=bob" A A), NULL, NULL},
        {SLICE("n,a=alice," A "USER=bob" A "auth=Bearer t" A A), NULL, NULL},
        {SLICE("n,," A "auth=Basic t" A A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t"), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A A A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A A "x"), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A "x" A A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A "=x" A A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A "x1=y" A A), NULL, NULL},
        {SLICE("n,," A "auth=Bearer t" A "x=\0" A A), NULL, NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        enum result result = sasl_try("OAUTHBEARER", rows[i].message, &c);
        cr_expect_eq(result, rows[i].user == NULL ? BAD : DONE, "row %zu", i);
        if (result != DONE)
            continue;
        cr_expect_eq(c.kind, CREDENTIAL_TOKEN);
        cr_expect(sasl_holds(&c.authcid, rows[i].user), "row %zu", i);
        cr_expect(sasl_holds(&c.password, rows[i].token), "row %zu", i);
        cr_expect(slice_eq(secret_reveal(&c.message), rows[i].message), "row %zu", i);
        credentials_clear(&c);
    }
}

/* The challenge that carries the backend's error is answered by the client with one of these, in
 * the exchange that goes on; neither may be taken for a login. */
Test(oauth, t37_the_answer_to_an_error_is_no_login)
{
    static const char *const mechanisms[] = {"XOAUTH2", "OAUTHBEARER"};
    const struct slice answers[] = {SLICE(""), SLICE(A)};

    for (size_t m = 0; m < COUNT_OF(mechanisms); m++) {
        for (size_t i = 0; i < COUNT_OF(answers); i++) {
            struct credentials c = {0};
            cr_expect_eq(sasl_try(mechanisms[m], answers[i], &c), BAD, "%s %zu", mechanisms[m], i);
        }
        cr_expect_eq(sasl_begin(mechanisms[m]).row->first().len, 0);
        cr_expect_not(sasl_begin(mechanisms[m]).row->relayed);
    }
}

Test(oauth, a_token_as_long_as_a_sasl_line_is_taken)
{
    static char storage[LIMIT_SECRET + 64], token[LIMIT_SASL_LINE / 4 * 3];
    struct str message = STR_ON(storage);
    struct credentials c = {0};

    memset(token, 'x', sizeof(token));
    cr_assert(sasl_oauth_message(CONF_MECH_XOAUTH2, SLICE("alice"),
                                 slice_of(token, sizeof(token) - 64), &message));
    cr_expect_eq(sasl_try("XOAUTH2", str_slice(&message), &c), DONE);
    cr_expect_eq(c.password.len, sizeof(token) - 64);
    credentials_clear(&c);
}

Test(oauth, the_messages_are_as_the_rfc_writes_them)
{
    const struct {
        enum conf_mechanism mechanism;
        const char *user, *message; /* NULL: refused */
    } rows[] = {
        {CONF_MECH_XOAUTH2, "alice", "user=alice" A "auth=Bearer t.k" A A},
        {CONF_MECH_XOAUTH2, "a,b=c", "user=a,b=c" A "auth=Bearer t.k" A A},
        {CONF_MECH_XOAUTH2, "", NULL},
        {CONF_MECH_XOAUTH2, "a" A "b", NULL},
        {CONF_MECH_OAUTHBEARER, "alice", "n,a=alice," A "auth=Bearer t.k" A A},
        {CONF_MECH_OAUTHBEARER, "a,b=c", "n,a=a=2Cb=3Dc," A "auth=Bearer t.k" A A},
        {CONF_MECH_OAUTHBEARER, "", "n,," A "auth=Bearer t.k" A A},
        {CONF_MECH_OAUTHBEARER, "a\nb", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[128];
        struct str out = STR_ON(storage);
        bool good =
            sasl_oauth_message(rows[i].mechanism, slice_str(rows[i].user), SLICE("t.k"), &out);
        cr_expect_eq(good, rows[i].message != NULL, "row %zu", i);
        if (good)
            cr_expect(slice_eq(str_slice(&out), slice_str(rows[i].message)), "row %zu", i);
    }
}

Test(oauth, a_message_with_a_bad_token_or_too_little_room_is_refused)
{
    const struct slice tokens[] = {SLICE(""), SLICE("a b"), SLICE("a" A), SLICE("a\r\n"),
                                   SLICE("longer than what is left in here")};

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        char storage[40];
        struct str out = STR_ON(storage);
        cr_expect_not(sasl_oauth_message(CONF_MECH_XOAUTH2, SLICE("alice"), tokens[i], &out),
                      "row %zu", i);
    }
}

/* ----- the user in a token ------------------------------------------------------------------ */

/* A JWT with this payload, in whatever state its signature is. */
static struct slice token_with(struct slice payload)
{
    static char storage[4096];
    struct str out = STR_ON(storage);
    size_t header;

    str_add(&out, SLICE("eyJhbGciOiJub25lIn0."));
    header = out.len;
    base64_encode(payload, &out);
    cr_assert_not(out.overflow);
    while (out.data[out.len - 1] == '=')
        out.len--;
    for (size_t i = header; i < out.len; i++)
        out.data[i] = out.data[i] == '+' ? '-' : out.data[i] == '/' ? '_' : out.data[i];
    str_add(&out, SLICE(".c2ln"));
    return str_slice(&out);
}

Test(oauth, t38_a_claim_names_the_user)
{
    const struct {
        struct slice payload;
        const char *user; /* NULL: none */
    } rows[] = {
        {SLICE("{\"email\": \"alice@example.org\"}"), "alice@example.org"},
        {SLICE("{\"sub\":1,\"x\":[{\"email\":\"no\"}],\"email\":\"j\\u00fcrgen\"}"),
         "j\xC3\xBCrgen"},
        {SLICE("{\"email\": \"?>?>~~\"}"), "?>?>~~"},
        {SLICE("{\"sub\": \"alice\"}"), NULL},
        {SLICE("{\"Email\": \"alice\"}"), NULL},
        {SLICE("{\"email\": \"\"}"), NULL},
        {SLICE("{\"email\": 7}"), NULL},
        {SLICE("{\"email\": null}"), NULL},
        {SLICE("{\"email\": [\"alice\"]}"), NULL},
        {SLICE("{\"email\": \"a\\r\\nb\"}"), NULL},
        {SLICE("{\"email\": \"a\\u0000b\"}"), NULL},
        {SLICE("{\"email\": \"alice\", \"email\": \"bob\"}"), NULL},
        {SLICE("{\"email\": \"alice\"} x"), NULL},
        {SLICE("{\"email\": \"alice\""), NULL},
        {SLICE("[\"email\"]"), NULL},
        {SLICE("\"email\""), NULL},
        {SLICE(""), NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret user = SECRET_EMPTY;
        bool found = sasl_token_claim(token_with(rows[i].payload), "email", &user);
        cr_expect_eq(found, rows[i].user != NULL, "row %zu", i);
        cr_expect(found ? sasl_holds(&user, rows[i].user) : user.data == NULL, "row %zu", i);
        secret_clear(&user);
    }
}

Test(oauth, t38_what_is_no_signed_token_names_nobody)
{
    /* The middle part says {"email":"alice"} wherever it can be read. */
    const struct slice tokens[] = {
        SLICE(""),
        SLICE("opaque"),
        SLICE("eyJlbWFpbCI6ImFsaWNlIn0"),
        SLICE("a.eyJlbWFpbCI6ImFsaWNlIn0"),
        SLICE("a.eyJlbWFpbCI6ImFsaWNlIn0."),
        SLICE(".eyJlbWFpbCI6ImFsaWNlIn0.c"),
        SLICE("a.eyJlbWFpbCI6ImFsaWNlIn0.c.d.e"),
        SLICE("a.eyJlbWFpbCI6ImFsaWNlIn0=.c"),
        SLICE("a.eyJlbWFpbCI6ImFsaWNlIn1.c"), /* bits left over */
        SLICE("a.eyJlbWFpbCI6ImFsaWNlI.c"),
        SLICE("a.e y.c"),
        SLICE("a..c"),
    };
    struct secret user = SECRET_EMPTY;

    cr_assert(sasl_token_claim(SLICE("a.eyJlbWFpbCI6ImFsaWNlIn0.c"), "email", &user));
    cr_expect(sasl_holds(&user, "alice"));
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        cr_assert(secret_set(&user, SLICE("from before")));
        cr_expect_not(sasl_token_claim(tokens[i], "email", &user), "row %zu", i);
        cr_expect_null(user.data);
    }
}

Test(oauth, t38_a_user_longer_than_any_is_none)
{
    char storage[512];

    for (size_t len = LIMIT_USER; len <= LIMIT_USER + 1; len++) {
        struct str payload = STR_ON(storage);
        struct secret user = SECRET_EMPTY;
        str_add(&payload, SLICE("{\"sub\": \""));
        for (size_t i = 0; i < len; i++)
            str_addc(&payload, 'a');
        str_add(&payload, SLICE("\"}"));
        cr_expect_eq(sasl_token_claim(token_with(str_slice(&payload)), "sub", &user),
                     len <= LIMIT_USER);
        secret_clear(&user);
    }
}
