/*
 * The small languages inside JSON strings: what is read, and all that is refused.
 */
#include <criterion/criterion.h>

#include "waypost/conf/value.h"

TestSuite(value);

Test(value, durations_have_exactly_one_unit)
{
    static const struct {
        const char *text;
        uint64_t ms; /* UINT64_MAX: refused */
    } rows[] = {
        {"500ms", 500},
        {"30s", 30000},
        {"5m", 300000},
        {"1h", 3600000},
        {"0s", 0},
        {"07s", 7000},
        {"30", UINT64_MAX},
        {"", UINT64_MAX},
        {"s", UINT64_MAX},
        {"-1s", UINT64_MAX},
        {"1.5s", UINT64_MAX},
        {"1 s", UINT64_MAX},
        {"1S", UINT64_MAX},
        {"1s ", UINT64_MAX},
        {"1m30s", UINT64_MAX},
        {"1d", UINT64_MAX},
        {"2h", UINT64_MAX},
        {"7200001ms", UINT64_MAX},
        {"99999999999999999999h", UINT64_MAX},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t ms = UINT64_MAX;
        bool good = value_duration(slice_str(rows[i].text), 7199999, &ms);
        cr_expect_eq(good, rows[i].ms != UINT64_MAX, "%s", rows[i].text);
        cr_expect_eq(ms, rows[i].ms, "%s", rows[i].text);
    }
}

Test(value, durations_are_written_as_they_are_read)
{
    static const char *const rows[] = {"0s", "1ms", "1500ms", "30s", "90s", "2m", "1h", "25h"};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[32];
        struct str out = STR_ON(storage);
        uint64_t ms;
        cr_assert(value_duration(slice_str(rows[i]), UINT64_MAX, &ms));
        value_add_duration(&out, ms);
        cr_expect_str_eq(storage, rows[i]);
    }
}

Test(value, sizes)
{
    uint64_t bytes;

    cr_expect(value_size(SLICE("64KiB"), 1u << 20, &bytes) && bytes == 65536);
    cr_expect(value_size(SLICE("1MiB"), 1u << 20, &bytes) && bytes == 1u << 20);
    cr_expect(value_size(SLICE("512B"), 1u << 20, &bytes) && bytes == 512);
    cr_expect_not(value_size(SLICE("2MiB"), 1u << 20, &bytes));
    cr_expect_not(value_size(SLICE("64K"), 1u << 20, &bytes));
    cr_expect_not(value_size(SLICE("64kib"), 1u << 20, &bytes));
    cr_expect_not(value_size(SLICE("8192"), 1u << 20, &bytes));
}

Test(value, endpoints)
{
    static const struct {
        const char *text, *host; /* host NULL: refused */
        uint16_t port;
    } rows[] = {
        {"[::]:993", "::", 993},
        {"[2001:db8::1]:1", "2001:db8::1", 1},
        {"192.0.2.1:65535", "192.0.2.1", 65535},
        {"imap.example.net:143", "imap.example.net", 143},
        {"localhost:143", "localhost", 143},
        {"", NULL, 0},
        {":993", NULL, 0},
        {"*:993", NULL, 0},
        {"[]:993", NULL, 0},
        {"::1:993", NULL, 0},
        {"[192.0.2.1]:993", NULL, 0},
        {"[imap.example.net]:993", NULL, 0},
        {"[::1]993", NULL, 0},
        {"192.0.2.256:993", NULL, 0},
        {"192.0.2.1", NULL, 0},
        {"192.0.2.1:", NULL, 0},
        {"192.0.2.1:0", NULL, 0},
        {"192.0.2.1:-1", NULL, 0},
        {"192.0.2.1:65536", NULL, 0},
        {"192.0.2.1:1e9", NULL, 0},
        {"192.0.2.1:1000000000", NULL, 0},
        {"192.0.2.1:18446744073709551617", NULL, 0},
        {"imap example.net:993", NULL, 0},
        {"imaps://imap.example.net:993", NULL, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice host = SLICE("");
        uint16_t port = 0;
        bool good = value_endpoint(slice_str(rows[i].text), &host, &port);
        cr_expect_eq(good, rows[i].host != NULL, "%s", rows[i].text);
        cr_expect_eq(port, rows[i].port, "%s", rows[i].text);
        cr_expect(slice_eq(host, slice_str(rows[i].host)), "%s", rows[i].text);
    }
}

Test(value, host_names)
{
    static const char *const good[] = {
        "a",        "imap.example.net", "a-b.c_d.e", "1and1.example", "xn--mller-kva.example",
        "localhost"};
    static const char *const bad[] = {"",      ".",          "a.",    ".a",  "a..b", "-a.b", "a-.b",
                                      "1.2.3", "10.0.0.256", "*.a.b", "a b", "a@b",  "a/b",  "::1"};
    char label64[65] = {0};

    memset(label64, 'a', 64);
    for (size_t i = 0; i < COUNT_OF(good); i++)
        cr_expect(value_is_host_name(slice_str(good[i])), "%s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_expect_not(value_is_host_name(slice_str(bad[i])), "%s", bad[i]);
    cr_expect_not(value_is_host_name(slice_of(label64, 64)));
    cr_expect(value_is_host_name(slice_of(label64, 63)));
}

Test(value, loopback)
{
    static const char *const inside[] = {"127.0.0.1", "127.255.0.1", "::1",
                                         "localhost", "LocalHost",   "::ffff:127.0.0.1"};
    static const char *const outside[] = {"128.0.0.1", "0.0.0.0", "::", "::2", "localhost.net", ""};

    for (size_t i = 0; i < COUNT_OF(inside); i++)
        cr_expect(value_is_loopback(slice_str(inside[i])), "%s", inside[i]);
    for (size_t i = 0; i < COUNT_OF(outside); i++)
        cr_expect_not(value_is_loopback(slice_str(outside[i])), "%s", outside[i]);
}

Test(value, hashes_in_base64_and_hexadecimal_are_the_same)
{
    static const char hex[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char base64[] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    static const char *const bad[] = {
        "",
        "abc",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", /* trailing bits */
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "47DEQpj8HBSa-/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
    unsigned char a[VALUE_SHA256], b[VALUE_SHA256];

    cr_assert(value_sha256(slice_str(hex), a));
    cr_assert(value_sha256(slice_str(base64), b));
    cr_expect_eq(a[0], 0xE3);
    cr_expect_eq(a[31], 0x55);
    cr_expect_arr_eq(a, b, sizeof(a));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_expect_not(value_sha256(slice_str(bad[i]), a), "%s", bad[i]);
}

Test(value, capabilities)
{
    cr_expect(value_is_capability(SLICE("IMAP4rev1"), false));
    cr_expect(value_is_capability(SLICE("AUTH=PLAIN"), false));
    cr_expect(value_is_capability(SLICE("X-*"), true));
    cr_expect_not(value_is_capability(SLICE("X-*"), false));
    cr_expect_not(value_is_capability(SLICE("*"), true));
    cr_expect_not(value_is_capability(SLICE("X*Y"), true));
    cr_expect_not(value_is_capability(SLICE(""), true));
    cr_expect_not(value_is_capability(SLICE("A B"), false));
    cr_expect_not(value_is_capability(SLICE("A]"), false));
    cr_expect_not(value_is_capability(SLICE("A\r\nB"), false));
    cr_expect_not(value_is_capability(SLICE("\xC3\xA4"), false));
}
