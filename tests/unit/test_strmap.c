/*
 * The compact map behind user names and positions: exact keys, growth, bounds.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/strmap.h"

TestSuite(strmap);

Test(strmap, an_empty_map_finds_nothing)
{
    struct strmap map;
    struct strmap_hit hit;

    strmap_init(&map, 1);
    cr_expect_not(strmap_find(&map, SLICE("a"), &hit));
    cr_expect_not(strmap_find(&map, SLICE(""), &hit));
    strmap_trim(&map);
    strmap_fini(&map);
}

Test(strmap, keys_are_bytes_with_a_length)
{
    struct strmap map;
    struct strmap_hit hit;

    strmap_init(&map, 1);
    cr_assert_eq(strmap_add(&map, SLICE("a\0b"), SLICE("x"), 1), STRMAP_ADDED);
    cr_assert_eq(strmap_add(&map, SLICE("a"), SLICE(""), 2), STRMAP_ADDED);
    cr_assert_eq(strmap_add(&map, SLICE(""), SLICE("empty"), 3), STRMAP_ADDED);
    cr_assert(strmap_find(&map, SLICE("a\0b"), &hit));
    cr_expect_eq(hit.value, 1);
    cr_expect(slice_eq(hit.extra, SLICE("x")));
    cr_assert(strmap_find(&map, SLICE("a"), &hit));
    cr_expect_eq(hit.value, 2);
    cr_expect_eq(hit.extra.len, 0);
    cr_assert(strmap_find(&map, SLICE(""), &hit));
    cr_expect(slice_eq(hit.extra, SLICE("empty")));
    cr_expect_not(strmap_find(&map, SLICE("A"), &hit));
    strmap_fini(&map);
}

Test(strmap, a_second_add_changes_nothing)
{
    struct strmap map;
    struct strmap_hit hit;

    strmap_init(&map, 1);
    cr_assert_eq(strmap_add(&map, SLICE("a"), SLICE("one"), 1), STRMAP_ADDED);
    cr_assert_eq(strmap_add(&map, SLICE("a"), SLICE("two"), 2), STRMAP_TAKEN);
    cr_assert(strmap_find(&map, SLICE("a"), &hit));
    cr_expect_eq(hit.value, 1);
    cr_expect(slice_eq(hit.extra, SLICE("one")));
    cr_expect_eq(map.count, 1);
    strmap_fini(&map);
}

Test(strmap, texts_beyond_65535_bytes_are_refused)
{
    struct strmap map;
    char *text = calloc(1, UINT16_MAX + 1);

    strmap_init(&map, 1);
    cr_expect_eq(strmap_add(&map, slice_of(text, UINT16_MAX + 1), SLICE(""), 1), STRMAP_FULL);
    cr_expect_eq(strmap_add(&map, SLICE("a"), slice_of(text, UINT16_MAX + 1), 1), STRMAP_FULL);
    cr_expect_eq(map.count, 0);
    cr_expect_eq(strmap_add(&map, slice_of(text, UINT16_MAX), SLICE(""), 1), STRMAP_ADDED);
    strmap_fini(&map);
    free(text);
}

#define MANY 20000u

static struct slice numbered(char storage[32], unsigned i)
{
    return slice_of(storage, (size_t)snprintf(storage, 32, "user%u@example.net", i));
}

Test(strmap, many_keys_survive_growth_and_trimming)
{
    struct strmap map;
    struct strmap_hit hit;
    char text[32];

    strmap_init(&map, 42);
    for (unsigned i = 0; i < MANY; i++)
        cr_assert_eq(strmap_add(&map, numbered(text, i), SLICE("x"), i), STRMAP_ADDED);
    strmap_trim(&map);
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert(strmap_find(&map, numbered(text, i), &hit));
        cr_assert_eq(hit.value, i);
    }
    cr_expect_not(strmap_find(&map, numbered(text, MANY), &hit));
    /* Tens of bytes each: name, entry head and slots. */
    cr_expect_lt((map.size + map.slot_count * 8) / MANY, 60);
    cr_assert_eq(strmap_add(&map, numbered(text, MANY), SLICE(""), MANY), STRMAP_ADDED);
    cr_assert(strmap_find(&map, numbered(text, MANY), &hit));
    strmap_fini(&map);
}
