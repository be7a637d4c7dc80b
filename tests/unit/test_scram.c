/*
 * SCRAM's first message: who logs in, and what a proxy cannot pass on in good faith.
 */
#include <criterion/criterion.h>

#include "support/sasl_try.h"
#include "waypost/base/limits.h"

TestSuite(scram);

static const char *const names[] = {"SCRAM-SHA-1", "SCRAM-SHA-256"};

Test(scram, t40_names_are_unescaped)
{
    const struct {
        struct slice message;
        const char *authcid, *authzid;
    } rows[] = {
        {SLICE("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"), "user", ""},
        {SLICE("y,,n=user,r=x"), "user", ""},
        {SLICE("n,a=bob,n=alice,r=x"), "alice", "bob"},
        {SLICE("n,a=alice,n=alice,r=x"), "alice", ""},
        {SLICE("n,a=a=2Cb,n=a=2Cb,r=x"), "a,b", ""},
        {SLICE("n,,n=a=2Cb=3Dc,r=x"), "a,b=c", ""},
        {SLICE("n,,n==3D=2C,r=x"), "=,", ""},
        {SLICE("n,,n==3D2C,r=x"), "=2C", ""},
        {SLICE("n,,n=j\xC3\xBCrgen@example.org,r=x"), "j\xC3\xBCrgen@example.org", ""},
        {SLICE("n,,n=Alice,r=x"), "Alice", ""},
        {SLICE("n,,n=user,r=x,t=one,Z=two=three"), "user", ""},
    };

    for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(names); i++) {
        const char *name = names[i % COUNT_OF(names)];
        size_t row = i / COUNT_OF(names);
        struct credentials c = {0};
        cr_expect_eq(sasl_try(name, rows[row].message, &c), DONE, "%s row %zu", name, row);
        cr_expect_eq(c.kind, CREDENTIAL_RELAYED);
        cr_expect(sasl_holds(&c.authcid, rows[row].authcid), "row %zu", row);
        cr_expect(sasl_holds(&c.authzid, rows[row].authzid), "row %zu", row);
        cr_expect_eq(c.password.len, 0);
        cr_expect(slice_eq(secret_reveal(&c.message), rows[row].message), "row %zu", row);
        credentials_clear(&c);
    }
}

Test(scram, t40_other_escapes_are_refused)
{
    const struct slice rows[] = {
        SLICE("n,,n=a=b,r=x"),     SLICE("n,,n=a=,r=x"),    SLICE("n,,n=a=2,r=x"),
        SLICE("n,,n=a=2c,r=x"),    SLICE("n,,n=a=3d,r=x"),  SLICE("n,,n=a=20,r=x"),
        SLICE("n,,n=a==,r=x"),     SLICE("n,a==2,n=a,r=x"), SLICE("n,a=b=c,n=a,r=x"),
        SLICE("n,a=b=2c,n=a,r=x"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        cr_expect_eq(sasl_try("SCRAM-SHA-256", rows[i], &c), BAD, "row %zu", i);
    }
}

Test(scram, what_is_malformed_or_cannot_be_relayed_is_refused)
{
    const struct slice rows[] = {
        SLICE(""),
        SLICE("n"),
        SLICE("n,"),
        SLICE("n,,"),
        SLICE("n,,n=user"),
        SLICE("n,,n=user,"),
        SLICE("n,,n=user,r="),
        SLICE("n,,n=user,r=x,"),
        SLICE("n,,n=user,r=a b"),
        SLICE("n,,n=user,r=\xC3\xBC"),
        SLICE("n,,n=,r=x"),
        SLICE("n,,r=x,n=user"),
        SLICE("n,,N=user,r=x"),
        SLICE("n,n=user,r=x"),
        SLICE("n=user,r=x"),
        SLICE("n,a=,n=user,r=x"),
        SLICE("n,z=bob,n=user,r=x"),
        SLICE("x,,n=user,r=x"),
        SLICE(",,n=user,r=x"),
        SLICE("nn,,n=user,r=x"),
        SLICE("p=tls-unique,,n=user,r=x"), /* the channel that is bound ends here */
        SLICE("p=tls-exporter,,n=user,r=x"),
        SLICE("p=tls-server-end-point,,n=user,r=x"),
        SLICE("n,,m=ext,n=user,r=x"), /* RFC 5802 section 5.1: must fail */
        SLICE("n,,n=user,r=x,m=ext"),
        SLICE("n,,n=user,r=x,n=bob"), /* a second name or nonce, for a reader who takes the last */
        SLICE("n,,n=user,r=x,a=bob"),
        SLICE("n,,n=user,r=x,r=y"),
        SLICE("n,,n=user,r=x,1=y"),
        SLICE("n,,n=user,r=x,t"),
        SLICE("n,,n=user,r=x,t="),
        SLICE("n,,n=user,r=x,t=\0"),
        SLICE("n,,n=user,r=x,,t=y"),
        SLICE("n,,n=us\0er,r=x"),
        SLICE("n,,n=us\rer,r=x"),
        SLICE("n,,n=us\xC2\x85,r=x"),
        SLICE("n,,n=us\xC0\xAF,r=x"),
        SLICE("n,a=b\nb,n=user,r=x"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct credentials c = {0};
        cr_expect_eq(sasl_try("SCRAM-SHA-256", rows[i], &c), BAD, "row %zu", i);
    }
}

/* The escapes do not count, the name does. */
Test(scram, t40_names_of_255_bytes_and_no_more)
{
    char storage[4 * LIMIT_USER];

    for (size_t len = LIMIT_USER; len <= LIMIT_USER + 1; len++) {
        struct str message = STR_ON(storage);
        struct credentials c = {0};
        str_add(&message, SLICE("n,,n="));
        for (size_t i = 0; i < len; i++)
            str_add(&message, SLICE("=2C"));
        str_add(&message, SLICE(",r=x"));
        cr_assert_not(message.overflow);
        cr_expect_eq(sasl_try("SCRAM-SHA-1", str_slice(&message), &c),
                     len <= LIMIT_USER ? DONE : BAD);
        cr_expect_eq(c.authcid.len, len <= LIMIT_USER ? len : 0);
        credentials_clear(&c);
    }
}

Test(scram, everything_behind_the_first_message_is_relayed)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        cr_expect(sasl_begin(names[i]).row->relayed);
        cr_expect(sasl_begin(names[i]).row->client_first);
        cr_expect_eq(sasl_begin(names[i]).row->first().len, 0);
    }
}
