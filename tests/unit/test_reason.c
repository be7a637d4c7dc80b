/*
 * The tables of endings and refusals: complete, unambiguous, and fit to stand in an IMAP line.
 */
#include "waypost/base/reason.h"

#include <criterion/criterion.h>

/* Text of an IMAP response (RFC 9051 section 9, `text`), in ASCII, as a sentence. */
static bool is_sentence(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    return len > 0 && len < 100 && text[0] != '[' && text[len - 1] == '.';
}

/* Fit for a log key, a counter label and a command line. */
static bool is_name(const char *name)
{
    return name != NULL && *name != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name);
}

Test(reason, every_ending_has_its_row)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        const struct reason_row *row = &reason_table[i];
        cr_assert(is_name(row->name), "row %zu", i);
        cr_expect_lt(row->level, LEVEL_COUNT, "%s", row->name);
        cr_expect(row->bye == NULL || is_sentence(row->bye), "%s", row->name);
        cr_expect_eq(*row->text == '\0', i == REASON_none, "%s", row->name);
        for (size_t k = 0; k < i; k++) {
            cr_expect_str_neq(row->name, reason_table[k].name);
            cr_expect_str_neq(row->text, reason_table[k].text);
        }
    }
    cr_expect_str_eq(reason_table[REASON_none].name, "none");
    cr_expect_str_eq(reason_table[REASON_shutdown].name, "shutdown");
}

Test(reason, nobody_who_cannot_read_it_is_told)
{
    static const enum reason silent[] = {REASON_client_closed,      REASON_client_reset,
                                         REASON_client_truncated,   REASON_handshake_failed,
                                         REASON_handshake_timeout,  REASON_proxy_header,
                                         REASON_starttls_injection, REASON_not_imap};

    for (size_t i = 0; i < COUNT_OF(silent); i++)
        cr_expect_null(reason_table[silent[i]].bye, "%s", reason_table[silent[i]].name);
}

Test(reason, every_refusal_has_its_row)
{
    /* RFC 5530 section 3. */
    static const char *const codes[] = {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED",
                                        "UNAVAILABLE",          "SERVERBUG",
                                        "PRIVACYREQUIRED",      "LIMIT"};

    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        const struct refusal_row *row = &refusal_table[i];
        bool ours = i != REFUSAL_none && i != REFUSAL_forwarded, known = false;
        cr_assert(is_name(row->name), "row %zu", i);
        for (size_t k = 0; k < COUNT_OF(codes); k++)
            known = known || strcmp(codes[k], row->code) == 0;
        /* A cancelled exchange is answered BAD, which has no code of RFC 5530. */
        cr_expect_eq(known, ours && i != REFUSAL_cancelled, "%s: %s", row->name, row->code);
        cr_expect_eq(is_sentence(row->text), ours, "%s", row->name);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(row->name, refusal_table[k].name);
    }
}

Test(reason, only_what_somebody_may_have_guessed_counts_as_a_guess)
{
    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        bool guess =
            i == REFUSAL_authentication || i == REFUSAL_authorization || i == REFUSAL_cancelled;
        cr_expect_eq(refusal_table[i].guess, guess, "%s", refusal_table[i].name);
    }
}
