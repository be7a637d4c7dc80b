/*
 * Base64: the vectors of RFC 4648 section 10, every length both ways, and all that is not
 * canonical.
 */
#include "waypost/base/base64.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "waypost/base/limits.h"

Test(base64, vectors_both_ways)
{
    static const struct {
        const char *plain, *coded;
    } rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[32];
        struct str out = STR_ON(storage);
        struct secret s = SECRET_EMPTY;
        base64_encode(slice_str(rows[i].plain), &out);
        cr_expect_str_eq(storage, rows[i].coded);
        cr_assert(base64_decode(slice_str(rows[i].coded), &s), "%s", rows[i].coded);
        cr_expect(slice_eq(secret_reveal(&s), slice_str(rows[i].plain)), "%s", rows[i].coded);
        secret_clear(&s);
    }
}

Test(base64, every_byte_and_every_length_survives_the_round_trip)
{
    char bytes[256], storage[400];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(unsigned char)i;
    for (size_t from = 0; from < 3; from++) {
        for (size_t len = 0; len <= sizeof bytes - from; len++) {
            struct slice plain = slice_of(bytes + from, len);
            struct str out = STR_ON(storage);
            struct secret s = SECRET_EMPTY;
            base64_encode(plain, &out);
            cr_assert_not(out.overflow);
            cr_assert_eq(out.len, (len + 2) / 3 * 4);
            cr_assert(base64_decode(str_slice(&out), &s));
            cr_expect(slice_eq(secret_reveal(&s), plain), "%zu from %zu", len, from);
            secret_clear(&s);
        }
    }
}

Test(base64, t30_only_the_canonical_text_is_accepted)
{
    const struct slice rows[] = {
        SLICE("Z"),        SLICE("Zg"),           SLICE("Zg="),      SLICE("Zg==="),
        SLICE("=Zg="),     SLICE("===="),         SLICE("="),        SLICE("==Zg"),
        SLICE("Z==="),     SLICE("Z=g="),         SLICE("Zg==Zg=="), SLICE("Zm8=Zg=="),
        SLICE("Zh=="),     SLICE("Zm9="),         SLICE("Zm9v "),    SLICE(" Zm9v"),
        SLICE("Zm 9v==="), SLICE("Zm9v\r\n\0\0"), SLICE("Zm9v\n"),   SLICE("Zm9v\r\n"),
        SLICE("Zm-_"),     SLICE("Zm9\0"),        SLICE("Zm9\xC3"),  SLICE("*"),
        SLICE("Zm9vZm9,"), SLICE("Zm9v===="),     SLICE("\t\t\t\t"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret s = SECRET_EMPTY;
        cr_assert(secret_set(&s, SLICE("left over")));
        cr_expect_not(base64_decode(rows[i], &s), "row %zu: %s", i, rows[i].ptr);
        cr_expect(s.data == NULL && s.len == 0, "row %zu left something", i);
    }
}

Test(base64, for_urls_without_padding_and_with_two_other_digits)
{
    const struct {
        struct slice coded;
        const char *plain; /* NULL: refused */
    } rows[] = {
        {SLICE(""), ""},           {SLICE("Zg"), "f"},
        {SLICE("Zm8"), "fo"},      {SLICE("Zm9v"), "foo"},
        {SLICE("Zm9vYg"), "foob"}, {SLICE("Pj4-Pz8_"), ">>>\x3F\x3F\x3F"},
        {SLICE("Pj4+Pz8/"), NULL}, {SLICE("Z"), NULL},
        {SLICE("Zm9vY"), NULL},    {SLICE("Zg=="), NULL},
        {SLICE("Zm8="), NULL},     {SLICE("Zh"), NULL},
        {SLICE("Zm9"), NULL},      {SLICE("Zm8\0"), NULL},
        {SLICE("Zm8\n"), NULL},    {SLICE(" Zm8"), NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct secret s = SECRET_EMPTY;
        cr_assert(secret_set(&s, SLICE("left over")));
        cr_expect_eq(base64url_decode(rows[i].coded, &s), rows[i].plain != NULL, "row %zu", i);
        cr_expect(slice_eq(secret_reveal(&s), slice_str(rows[i].plain)), "row %zu", i);
        secret_clear(&s);
    }
}

Test(base64, results_are_bounded)
{
    size_t len = (LIMIT_SECRET + 2) / 3 * 4;
    char *text = malloc(len + 4);
    struct secret s = SECRET_EMPTY;

    cr_assert_not_null(text);
    memset(text, 'A', len + 4);
    memcpy(text + len - 2, "==", 2);
    cr_expect(base64_decode(slice_of(text, len), &s));
    cr_expect_eq(s.len, LIMIT_SECRET);
    memcpy(text + len - 2, "A=", 2);
    cr_expect_not(base64_decode(slice_of(text, len), &s), "one byte too many");
    cr_expect_null(s.data);
    secret_clear(&s);
    free(text);
}

Test(base64, encoding_is_all_or_nothing)
{
    char storage[10];
    struct str out = STR_ON(storage);

    str_add(&out, SLICE("+ "));
    base64_encode(SLICE("foob"), &out);
    cr_expect(out.overflow);
    cr_expect_str_eq(storage, "+ ");

    out = STR_ON(storage);
    str_add(&out, SLICE("+"));
    base64_encode(SLICE("fooba"), &out);
    cr_expect_not(out.overflow);
    cr_expect_str_eq(storage, "+Zm9vYmE=");
    base64_encode(SLICE(""), &out);
    cr_expect_not(out.overflow, "nothing always fits");
}
