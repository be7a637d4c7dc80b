/*
 * Capability sets, and what is left of one for a client behind the proxy.
 */
#include <criterion/criterion.h>

#include "waypost/base/limits.h"
#include "waypost/imap/caps.h"

Test(caps, set_and_ask)
{
    struct caps c = CAPS_UNKNOWN;

    cr_expect_not(caps_known(&c));
    cr_expect_not(caps_has(&c, SLICE("IDLE")));
    cr_assert(caps_set(&c, SLICE("IMAP4rev1  IDLE idle AUTH=PLAIN IDLE ")));
    cr_expect(caps_known(&c));
    cr_expect(slice_eq(caps_words(&c), SLICE("IMAP4rev1 IDLE AUTH=PLAIN")));
    cr_expect(caps_has(&c, SLICE("auth=plain")));
    cr_expect_not(caps_has(&c, SLICE("AUTH=PLAI")));
    cr_expect_not(caps_has(&c, SLICE("AUTH=")));
    cr_expect_not(caps_has(&c, SLICE("")));
    cr_assert(caps_set(&c, SLICE("")));
    cr_expect(caps_known(&c));
    cr_expect_eq(caps_words(&c).len, 0);
    caps_clear(&c);
    cr_expect_not(caps_known(&c));
}

Test(caps, words_that_could_break_out_are_left_out)
{
    struct caps c = CAPS_UNKNOWN;

    cr_assert(caps_set(&c, SLICE("A x]y B \"q\" C\r\nD E\0F G")));
    cr_expect(slice_eq(caps_words(&c), SLICE("A B G")));
    caps_clear(&c);
}

Test(caps, limit)
{
    struct caps c = CAPS_UNKNOWN;
    char words[LIMIT_CAPS + 2];

    memset(words, 'x', sizeof words);
    cr_expect(caps_set(&c, slice_of(words, LIMIT_CAPS)));
    cr_expect_eq(caps_words(&c).len, LIMIT_CAPS);
    cr_expect_not(caps_set(&c, slice_of(words, LIMIT_CAPS + 1)));
    cr_expect_not(caps_known(&c));
    /* Only what is kept counts. */
    for (size_t i = 1; i < sizeof words; i += 2)
        words[i] = ' ';
    cr_expect(caps_set(&c, slice_of(words, sizeof words)));
    cr_expect(slice_eq(caps_words(&c), SLICE("x")));
    caps_clear(&c);
}

Test(caps, t63_filter)
{
    char *const hide[] = {"X-PRIVATE", "compress=*"};
    char storage[256];
    struct str out = STR_ON(storage);

    caps_filter(SLICE("IMAP4rev1 STARTTLS auth=plain AUTH=SCRAM-SHA-1 SASL-IR LOGINDISABLED "
                      "login-referrals UNAUTHENTICATE COMPRESS=DEFLATE x-private IDLE AUTHX"),
                hide, COUNT_OF(hide), &out);
    cr_expect_str_eq(out.data, "IMAP4rev1 IDLE AUTHX");
    out = STR_ON(storage);
    caps_filter(SLICE("COMPRESS=DEFLATE"), NULL, 0, &out);
    cr_expect_str_eq(out.data, "COMPRESS=DEFLATE");
    out = STR_ON(storage);
    caps_filter(SLICE("STARTTLS"), NULL, 0, &out);
    cr_expect_str_eq(out.data, "");
}

Test(caps, t63_filter_line)
{
    char *const hide[] = {"IDLE"};
    const struct {
        struct slice line;
        const char *want;
    } rows[] = {
        {SLICE("* CAPABILITY IMAP4rev1 STARTTLS UNSELECT\r\n"),
         "* CAPABILITY IMAP4rev1 UNSELECT\r\n"},
        {SLICE("* capability IMAP4rev1 IDLE\n"), "* capability IMAP4rev1\n"},
        {SLICE("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] AUTH=PLAIN stays\r\n"),
         "* OK [CAPABILITY IMAP4rev1] AUTH=PLAIN stays\r\n"},
        {SLICE("a1 OK [capability IDLE IMAP4rev1] {5}\r\n"),
         "a1 OK [capability IMAP4rev1] {5}\r\n"},
        {SLICE("a1 NO [CAPABILITY SASL-IR X] no\r\n"), "a1 NO [CAPABILITY X] no\r\n"},
        {SLICE("* BAD [CAPABILITY IDLE X] no\r\n"), "* BAD [CAPABILITY X] no\r\n"},
        {SLICE("* PREAUTH [CAPABILITY IDLE X] hi\r\n"), "* PREAUTH [CAPABILITY X] hi\r\n"},
        {SLICE("* BYE [CAPABILITY IDLE X] bye\r\n"), "* BYE [CAPABILITY X] bye\r\n"},
        {SLICE("* OK [CAPABILITY STARTTLS] x\r\n"), "* OK [CAPABILITY] x\r\n"},
        {SLICE("* OK [CAPABILITY] x\r\n"), "* OK [CAPABILITY] x\r\n"},
        {SLICE("* CAPABILITY] STARTTLS\r\n"), "* CAPABILITY] STARTTLS\r\n"},
        {SLICE("* CAPABILITY STARTTLS\r\n"), "* CAPABILITY\r\n"},
        {SLICE("* CAPABILITY\r\n"), "* CAPABILITY\r\n"},
        {SLICE("* CAPABILITY \r\n"), "* CAPABILITY\r\n"},
        {SLICE("* OK [CAPABILITY X STARTTLS\r\n"), "* OK [CAPABILITY X\r\n"},
        {SLICE("* OK [ALERT] CAPABILITY IDLE\r\n"), "* OK [ALERT] CAPABILITY IDLE\r\n"},
        {SLICE("* OK CAPABILITY IDLE\r\n"), "* OK CAPABILITY IDLE\r\n"},
        {SLICE("* CAPABILITYX IDLE\r\n"), "* CAPABILITYX IDLE\r\n"},
        {SLICE("* OK [CAPABILITIES IDLE]\r\n"), "* OK [CAPABILITIES IDLE]\r\n"},
        {SLICE("+ CAPABILITY IDLE\r\n"), "+ CAPABILITY IDLE\r\n"},
        {SLICE("* LIST () \"/\" IDLE\r\n"), "* LIST () \"/\" IDLE\r\n"},
        {SLICE("garbage\r\n"), "garbage\r\n"},
        {SLICE(""), ""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[128];
        struct str out = STR_ON(storage);
        caps_filter_line(rows[i].line, hide, COUNT_OF(hide), &out);
        cr_expect_str_eq(out.data, rows[i].want, "row %zu: %s", i, out.data);
        cr_expect(out.len <= rows[i].line.len, "row %zu grew", i);
    }
}

Test(caps, t61_longest_tag_is_filtered)
{
    char line[LIMIT_TAG + 64], storage[LIMIT_TAG + 64];
    struct str built = STR_ON(line), out = STR_ON(storage);

    for (size_t i = 0; i < LIMIT_TAG - 1; i++)
        str_addc(&built, 't');
    str_add(&built, SLICE(" BAD [CAPABILITY X STARTTLS] y\r\n"));
    caps_filter_line(str_slice(&built), NULL, 0, &out);
    cr_expect(
        slice_eq(slice_skip(str_slice(&out), LIMIT_TAG - 1), SLICE(" BAD [CAPABILITY X] y\r\n")));
}
