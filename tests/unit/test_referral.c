/*
 * Login referrals: what a backend may say, and what it may not.
 */
#include "waypost/imap/referral.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "waypost/base/str.h"

static void expect(const char *code, const char *host, uint16_t port, const char *user,
                   const char *mechanism)
{
    struct referral r;

    memset(&r, 0x55, sizeof r);
    cr_assert(referral_parse(slice_str(code), &r), "%s", code);
    cr_expect_str_eq(r.host, host, "%s", code);
    cr_expect_eq(r.port, port, "%s", code);
    cr_expect_str_eq(r.user, user, "%s", code);
    cr_expect_str_eq(r.mechanism, mechanism, "%s", code);
}

static void refuse(struct slice code)
{
    struct referral r = {.host = "untouched", .port = 7};

    cr_expect_not(referral_parse(code, &r), "%.*s", SLICE_ARG(code));
    cr_expect(strcmp(r.host, "untouched") == 0 && r.port == 7, "%.*s", SLICE_ARG(code));
}

Test(referral, t53_servers_and_users)
{
    /* The examples of RFC 2221 section 4.1. */
    expect("REFERRAL IMAP://user;AUTH=*@SERVER2/", "server2", 0, "user", "");
    expect("REFERRAL IMAP://MIKE@SERVER2/", "server2", 0, "MIKE", "");
    expect("REFERRAL IMAP://user;AUTH=GSSAPI@SERVER2/", "server2", 0, "user", "GSSAPI");
    expect("REFERRAL IMAP://;AUTH=SKEY@SERVER2/", "server2", 0, "", "SKEY");

    expect("referral imap://imap.example.org", "imap.example.org", 0, "", "");
    expect("REFERRAL imap://imap.example.org/", "imap.example.org", 0, "", "");
    expect("REFERRAL imap://imap.example.org:1143/", "imap.example.org", 1143, "", "");
    expect("REFERRAL imap://imap.example.org:65535", "imap.example.org", 65535, "", "");
    expect("REFERRAL imap://a_b.x-1.example.org/", "a_b.x-1.example.org", 0, "", "");
    expect("REFERRAL imap://192.0.2.7:143/", "192.0.2.7", 143, "", "");
    expect("REFERRAL imap://[2001:DB8:0:0::1]:993/", "2001:db8::1", 993, "", "");
    expect("REFERRAL imap://u@[::1]/", "::1", 0, "u", "");
    expect("REFERRAL imap://[::ffff:192.0.2.7]/", "192.0.2.7", 0, "", "");
    expect("REFERRAL imap://alice%40example.org;AUTH=PLAIN@h:144/", "h", 144, "alice@example.org",
           "PLAIN");
    expect("REFERRAL imap://alice@example.org;AUTH=PLAIN@h/", "h", 0, "alice@example.org", "PLAIN");
    expect("REFERRAL imap://u@g@h/", "h", 0, "u@g", "");
    expect("REFERRAL imap://;auth=*@h", "h", 0, "", "");
    expect("REFERRAL imap://u;auth=scram-sha-256@h", "h", 0, "u", "SCRAM-SHA-256");
    expect("REFERRAL imap://u;AUTH=X%5fY@h", "h", 0, "u", "X_Y");
    expect("REFERRAL imap://-._~!$'()*+,&=@h", "h", 0, "-._~!$'()*+,&=", "");
    expect("REFERRAL imap://%C3%a4%3B%2f%3A%20%25@h", "h", 0, "\xC3\xA4;/: %", "");
    expect("REFERRAL imap://h/INBOX;UIDVALIDITY=1/;UID=2?a=b%20", "h", 0, "", "");
}

static void refuse_all(const struct slice *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        refuse(codes[i]);
}

Test(referral, t53_other_texts_are_refused)
{
    const struct slice rows[] = {
        SLICE(""),
        SLICE("REFERRAL"),
        SLICE("REFERRAL "),
        SLICE("REFERRAL imap:"),
        SLICE("REFERRAL imap://"),
        SLICE("REFERRAL imap:///"),
        SLICE("REFERRAL  imap://h/"),
        SLICE("REFERRALS imap://h/"),
        SLICE(" REFERRAL imap://h/"),
        SLICE("imap://h/"),
    };

    refuse_all(rows, COUNT_OF(rows));
}

Test(referral, t53_other_schemes_are_refused)
{
    const struct slice rows[] = {
        SLICE("REFERRAL imaps://h/"),
        SLICE("REFERRAL http://h/"),
        SLICE("REFERRAL //h/"),
        SLICE("REFERRAL imap:/h/"),
    };

    refuse_all(rows, COUNT_OF(rows));
}

Test(referral, t53_more_than_one_url_is_refused)
{
    const struct slice rows[] = {
        SLICE("REFERRAL imap://h/ imap://g/"), SLICE("REFERRAL imap://h/ "),
        SLICE("REFERRAL imap://h/a b"),        SLICE("REFERRAL imap://h?x"),
        SLICE("REFERRAL imap://h#x"),          SLICE("REFERRAL imap://h/#x"),
        SLICE("REFERRAL imap://h/%"),          SLICE("REFERRAL imap://h/%4"),
        SLICE("REFERRAL imap://h/%4g"),        SLICE("REFERRAL imap://h/\r\n"),
        SLICE("REFERRAL imap://h\r\n"),        SLICE("REFERRAL imap://h/\0"),
        SLICE("REFERRAL imap://h\0/"),         SLICE("REFERRAL imap://h/\xC3\xA4"),
        SLICE("REFERRAL imap://h/[x]"),
    };

    refuse_all(rows, COUNT_OF(rows));
}

Test(referral, t53_illegal_users_are_refused)
{
    const struct slice rows[] = {
        SLICE("REFERRAL imap://@h/"),           SLICE("REFERRAL imap://;@h/"),
        SLICE("REFERRAL imap://u;@h/"),         SLICE("REFERRAL imap://u:password@h/"),
        SLICE("REFERRAL imap://u;AUTH=A@g@h/"), SLICE("REFERRAL imap://u%@h/"),
        SLICE("REFERRAL imap://u%4@h/"),        SLICE("REFERRAL imap://u%4x@h/"),
        SLICE("REFERRAL imap://u%00@h/"),       SLICE("REFERRAL imap://u%0D%0A@h/"),
        SLICE("REFERRAL imap://u%7F@h/"),       SLICE("REFERRAL imap://u%C2%85@h/"),
        SLICE("REFERRAL imap://u%C3@h/"),       SLICE("REFERRAL imap://u%FF@h/"),
        SLICE("REFERRAL imap://u%C0%80@h/"),    SLICE("REFERRAL imap://\xC3\xA4@h/"),
        SLICE("REFERRAL imap://u\"@h/"),        SLICE("REFERRAL imap://u v@h/"),
        SLICE("REFERRAL imap://u\0@h/"),
    };

    refuse_all(rows, COUNT_OF(rows));
}

Test(referral, t53_illegal_mechanisms_are_refused)
{
    const struct slice rows[] = {
        SLICE("REFERRAL imap://u;AUTH@h/"),
        SLICE("REFERRAL imap://u;AUTH=@h/"),
        SLICE("REFERRAL imap://u;AUTHPLAIN@h/"),
        SLICE("REFERRAL imap://u;TYPE=LIST@h/"),
        SLICE("REFERRAL imap://u;AUTH=%2A@h/"),
        SLICE("REFERRAL imap://u;AUTH=**@h/"),
        SLICE("REFERRAL imap://u;AUTH=A%20B@h/"),
        SLICE("REFERRAL imap://u;AUTH=A;AUTH=B@h/"),
        SLICE("REFERRAL imap://u;AUTH=ABCDEFGHIJKLMNOPQRSTU@h/"),
    };

    refuse_all(rows, COUNT_OF(rows));
}

Test(referral, t53_illegal_hosts_are_refused)
{
    const struct slice rows[] = {
        SLICE("REFERRAL imap://u@/"),          SLICE("REFERRAL imap://u@"),
        SLICE("REFERRAL imap://.h/"),          SLICE("REFERRAL imap://h./"),
        SLICE("REFERRAL imap://a..b/"),        SLICE("REFERRAL imap://-h/"),
        SLICE("REFERRAL imap://h-.x/"),        SLICE("REFERRAL imap://h%61/"),
        SLICE("REFERRAL imap://h*/"),          SLICE("REFERRAL imap://\xC3\xA4.org/"),
        SLICE("REFERRAL imap://192.0.2.256/"), SLICE("REFERRAL imap://192.0.2/"),
        SLICE("REFERRAL imap://3221225991/"),  SLICE("REFERRAL imap://0xc0000207/"),
        SLICE("REFERRAL imap://0300.0.2.7/"),  SLICE("REFERRAL imap://::1/"),
        SLICE("REFERRAL imap://2001:db8::1/"), SLICE("REFERRAL imap://[/"),
        SLICE("REFERRAL imap://[]/"),          SLICE("REFERRAL imap://[::1/"),
        SLICE("REFERRAL imap://[::1"),         SLICE("REFERRAL imap://::1]/"),
        SLICE("REFERRAL imap://[[::1]]/"),     SLICE("REFERRAL imap://[::1]x/"),
        SLICE("REFERRAL imap://x[::1]/"),      SLICE("REFERRAL imap://[::1%25lo]/"),
        SLICE("REFERRAL imap://[192.0.2.7]/"), SLICE("REFERRAL imap://[h]/"),
        SLICE("REFERRAL imap://[v1.x]/"),
    };

    refuse_all(rows, COUNT_OF(rows));
}

Test(referral, t53_illegal_ports_are_refused)
{
    const struct slice rows[] = {
        SLICE("REFERRAL imap://h:/"),     SLICE("REFERRAL imap://h:0/"),
        SLICE("REFERRAL imap://h:0143/"), SLICE("REFERRAL imap://h:65536/"),
        SLICE("REFERRAL imap://h:-1/"),   SLICE("REFERRAL imap://h:143:143/"),
        SLICE("REFERRAL imap://h:imap/"), SLICE("REFERRAL imap://[::1]:/"),
        SLICE("REFERRAL imap://:143/"),
    };

    refuse_all(rows, COUNT_OF(rows));
}

/* A whole code with `host` and `user` of the given lengths. */
static bool reads(size_t label, size_t labels, size_t user)
{
    static char storage[2048], text[1024];
    struct str code = STR_ON(storage);
    struct referral r;

    memset(text, 'a', sizeof text);
    str_add(&code, SLICE("REFERRAL imap://"));
    str_add(&code, slice_of(text, user));
    str_addc(&code, '@');
    for (size_t i = 0; i < labels; i++) {
        str_add(&code, i > 0 ? SLICE(".") : SLICE(""));
        str_add(&code, slice_of(text, label));
    }
    cr_assert_not(code.overflow);
    if (!referral_parse(str_slice(&code), &r))
        return false;
    cr_expect_eq(strlen(r.user), user);
    cr_expect_eq(strlen(r.host), labels * (label + 1) - 1);
    return true;
}

Test(referral, lengths)
{
    cr_expect(reads(63, 1, 1));
    cr_expect_not(reads(64, 1, 1));
    cr_expect(reads(1, 127, 1)); /* 253 bytes */
    cr_expect_not(reads(1, 128, 1));
    cr_expect(reads(1, 1, LIMIT_USER));
    cr_expect_not(reads(1, 1, LIMIT_USER + 1));
}

Test(referral, t53_every_byte_of_a_user_is_encoded_or_harmless)
{
    for (int c = 0; c < 256; c++) {
        char plain[] = "REFERRAL imap://u?v@h/", encoded[40];
        struct str text = STR_ON(encoded);
        struct referral r;
        bool printable = c >= 0x20 && c < 0x7F;

        plain[17] = (char)c;
        str_addf(&text, "REFERRAL imap://u%%%02Xv@h/", (unsigned)c);
        cr_expect_eq(referral_parse(str_slice(&text), &r), printable, "%%%02X", (unsigned)c);
        cr_expect(!printable || (r.user[1] == (char)c && r.user[3] == '\0'), "%%%02X", (unsigned)c);
        if (referral_parse(slice_of(plain, sizeof plain - 1), &r))
            cr_expect(printable && (r.user[1] == (char)c || r.user[0] == '\0'), "%d", c);
    }
}

/* What stands behind a code in memory must not matter. */
Test(referral, a_code_ends_where_it_ends)
{
    const struct slice whole = SLICE("REFERRAL imap://u%40v;AUTH=%41B@[2001:db8::1]:1143/%41%42");

    for (size_t n = 0; n <= whole.len; n++) {
        char *copy = malloc(n + 1);
        struct referral in_place = {.port = 0}, alone = {.port = 0};
        bool good = referral_parse(slice_take(whole, n), &in_place);
        memcpy(copy, whole.ptr, n);
        copy[n] = '\0';
        cr_expect_eq(referral_parse(slice_of(copy, n), &alone), good, "%s", copy);
        cr_expect_str_eq(alone.host, in_place.host, "%s", copy);
        cr_expect_eq(alone.port, in_place.port, "%s", copy);
        free(copy);
    }
}
