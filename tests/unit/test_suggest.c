/*
 * "Did you mean": near words are found, others are not suggested.
 */
#include <criterion/criterion.h>

#include "waypost/base/check.h"
#include "waypost/conf/suggest.h"

TestSuite(suggest);

static const char *nearest(const char *word)
{
    static const char *const known[] = {"listeners", "limits", "log", "tls", "timeouts"};
    struct suggest suggest = suggest_for(slice_str(word));

    for (size_t i = 0; i < COUNT_OF(known); i++)
        suggest_offer(&suggest, known[i]);
    return suggest.best == NULL ? "" : suggest.best;
}

Test(suggest, typing_mistakes_lead_to_the_word_meant)
{
    static const struct {
        const char *typed, *meant;
    } rows[] = {
        {"listners", "listeners"},
        {"listener", "listeners"},
        {"lisetners", "listeners"},
        {"Listeners", "listeners"},
        {"limit", "limits"},
        {"tsl", "tls"},
        {"tl", "tls"},
        {"timeout", "timeouts"},
        {"loog", "log"},
        {"TLS", "tls"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_str_eq(nearest(rows[i].typed), rows[i].meant, "%s", rows[i].typed);
}

Test(suggest, nothing_is_suggested_for_what_is_merely_different)
{
    static const char *const rows[] = {
        "",
        "x",
        "workers",
        "certificates",
        "backends",
        "glo-bal",
        "0123456789012345678901234567890123456789012345678901234567890123456789"};

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_str_empty(nearest(rows[i]), "%s", rows[i]);
}

Test(suggest, the_hint_is_a_clause_or_nothing)
{
    char storage[64];
    struct str out = STR_ON(storage);
    struct suggest suggest = suggest_for(SLICE("lgo"));

    suggest_add(&suggest, &out);
    cr_expect_str_empty(storage);
    suggest_offer(&suggest, "log");
    suggest_add(&suggest, &out);
    cr_expect_str_eq(storage, "; did you mean \"log\"?");
}
