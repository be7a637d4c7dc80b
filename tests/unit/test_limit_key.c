/*
 * SipHash against the vectors of its authors, and what counts as one address.
 */
#include <criterion/criterion.h>

#include "waypost/limit/key.h"

TestSuite(limit_key);

static const unsigned char counting[LIMIT_KEY_SIZE] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                       8, 9, 10, 11, 12, 13, 14, 15};

static struct addr address(const char *text)
{
    struct addr a = {.port = 0};

    cr_assert(addr_parse(slice_str(text), &a));
    return a;
}

Test(limit_key, the_vectors_of_the_reference)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)},
    };
    struct limit_keys keys = limit_keys_from(counting);

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(limit_hash(&keys, slice_of(counting, rows[i].len)), rows[i].hash, "length %zu",
                     rows[i].len);
}

Test(limit_key, t81_an_ipv6_network_is_one_address)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
    };
    struct limit_keys keys = limit_keys_from(counting);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct addr a = address(rows[i].a), b = address(rows[i].b);
        a.port = 1;
        cr_expect_eq(limit_key_address(&keys, &a) == limit_key_address(&keys, &b), rows[i].same,
                     "%s %s", rows[i].a, rows[i].b);
    }
}

Test(limit_key, t81_another_key_is_another_order)
{
    unsigned char other[LIMIT_KEY_SIZE] = {9};
    struct limit_keys a = limit_keys_from(counting), b = limit_keys_from(other);

    cr_expect_neq(limit_key_user(&a, SLICE("x")), limit_key_user(&b, SLICE("x")));
}

Test(limit_key, kinds_and_parts_do_not_meet)
{
    struct limit_keys keys = limit_keys_from(counting);
    struct addr a = address("192.0.2.1");
    uint64_t user = limit_key_user(&keys, slice_of(a.ip, sizeof(a.ip)));
    uint64_t host = limit_key_address(&keys, &a);

    cr_expect_neq(user, host, "a user called like an address");
    cr_expect_neq(limit_key_both(&keys, user, host), limit_key_both(&keys, host, user));
    cr_expect_neq(limit_fingerprint(&keys, SLICE("ab"), SLICE("c")),
                  limit_fingerprint(&keys, SLICE("a"), SLICE("bc")));
    cr_expect_neq(limit_fingerprint(&keys, SLICE("a"), SLICE("s")),
                  limit_fingerprint(&keys, SLICE("b"), SLICE("s")));
    cr_expect_eq(limit_fingerprint(&keys, SLICE("a"), SLICE("s")),
                 limit_fingerprint(&keys, SLICE("a"), SLICE("s")));
}
