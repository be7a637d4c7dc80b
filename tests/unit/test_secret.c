/*
 * Secrets: owned copies, bounded, and overwritten before the memory goes back. The overwriting is
 * observed by standing in for explicit_bzero.
 */
#include "waypost/base/secret.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "waypost/base/limits.h"

static char wiped[64]; /* what was overwritten last, as it was */
static size_t wiped_len, wipes;

static void overwrite(void *at, size_t len)
{
    volatile char *byte = at;

    wipes++;
    wiped_len = len;
    memcpy(wiped, at, len < sizeof wiped ? len : sizeof wiped);
    while (len-- > 0)
        *byte++ = 0;
}

/* These stand in for the C library's; a fortified build calls the second. */
void wipe(void *at, size_t len) __asm__("explicit_bzero");
void wipe_checked(void *at, size_t len, size_t size) __asm__("__explicit_bzero_chk");

void wipe(void *at, size_t len)
{
    overwrite(at, len);
}

void wipe_checked(void *at, size_t len, size_t size)
{
    UNUSED(size);
    overwrite(at, len);
}

static void expect(const struct secret *s, const char *text)
{
    cr_expect(slice_eq(secret_reveal(s), slice_str(text)), "not %s", text);
}

static void expect_wiped(const char *text)
{
    cr_expect_eq(wipes, 1);
    cr_expect(slice_eq(slice_of(wiped, wiped_len), slice_str(text)), "not %s", text);
    wipes = 0;
}

Test(secret, owns_a_copy)
{
    char text[] = "hunter2";
    struct secret s = SECRET_EMPTY;

    cr_assert(secret_set(&s, slice_str(text)));
    text[0] = 'X';
    expect(&s, "hunter2");
    secret_clear(&s);
    cr_expect(s.data == NULL && s.len == 0);
    secret_clear(&s);
}

Test(secret, any_byte_is_kept)
{
    struct secret s = SECRET_EMPTY;

    cr_assert(secret_set(&s, SLICE("a\0b\n")));
    cr_expect(slice_eq(secret_reveal(&s), SLICE("a\0b\n")));
    cr_assert(secret_set(&s, slice_of(NULL, 0)));
    cr_expect_null(s.data);
}

Test(secret, t79_clearing_overwrites)
{
    struct secret s = SECRET_EMPTY;

    cr_assert(secret_set(&s, SLICE("hunter2")));
    wipes = 0;
    secret_clear(&s);
    expect_wiped("hunter2");
    secret_clear(&s);
    cr_expect_eq(wipes, 0, "there is nothing left");
}

Test(secret, t79_replacing_overwrites)
{
    struct secret s = SECRET_EMPTY;

    cr_assert(secret_set(&s, SLICE("first")));
    cr_assert(secret_set(&s, SLICE("second")));
    expect_wiped("first");
    cr_assert(secret_make(&s, 3));
    expect_wiped("second");
    cr_assert(secret_set(&s, SLICE("third")));
    wipes = 0;
    cr_assert(secret_set(&s, SLICE("")));
    expect_wiped("third");
}

Test(secret, t79_moving_overwrites_the_target_only)
{
    struct secret from = SECRET_EMPTY, to = SECRET_EMPTY;
    const char *data;

    cr_assert(secret_set(&from, SLICE("moved")));
    cr_assert(secret_set(&to, SLICE("old")));
    data = from.data;
    secret_move(&to, &from);
    expect_wiped("old");
    cr_expect_eq(to.data, data, "no copy is made");
    cr_expect(from.data == NULL && from.len == 0);
    secret_clear(&to);
}

Test(secret, may_be_set_from_itself)
{
    struct secret s = SECRET_EMPTY;

    cr_assert(secret_set(&s, SLICE("user@example.org")));
    cr_assert(secret_set(&s, slice_take(secret_reveal(&s), 4)));
    expect(&s, "user");
    secret_clear(&s);
}

Test(secret, make_gives_zeroes_to_fill)
{
    struct secret s = SECRET_EMPTY;

    cr_assert(secret_make(&s, 4));
    cr_expect(slice_eq(secret_reveal(&s), SLICE("\0\0\0\0")));
    memcpy(s.data, "abcd", 4);
    expect(&s, "abcd");
    cr_assert(secret_make(&s, 0));
    cr_expect_null(s.data);
}

Test(secret, is_bounded_and_empty_after_a_failure)
{
    static char large[LIMIT_SECRET + 1];
    struct secret s = SECRET_EMPTY;

    cr_expect(secret_set(&s, slice_of(large, LIMIT_SECRET)));
    cr_expect_eq(s.len, LIMIT_SECRET);
    cr_expect_not(secret_set(&s, slice_of(large, LIMIT_SECRET + 1)));
    cr_expect(s.data == NULL && s.len == 0);
    cr_assert(secret_set(&s, SLICE("x")));
    cr_expect_not(secret_make(&s, LIMIT_SECRET + 1));
    cr_expect(s.data == NULL && s.len == 0);
}

Test(secret, moving_onto_itself_aborts, .signal = SIGABRT)
{
    struct secret s = SECRET_EMPTY;

    secret_move(&s, &s);
}
