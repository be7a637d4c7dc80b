/*
 * Addresses: both families as one value, text in and out, networks.
 */
#include "waypost/base/addr.h"

#include <criterion/criterion.h>

static struct addr parsed(const char *text)
{
    struct addr a;

    cr_assert(addr_parse(slice_str(text), &a), "%s", text);
    return a;
}

Test(addr, what_is_parsed_prints_in_its_shortest_form)
{
    static const struct {
        const char *text, *shown, *with_port;
        bool v4;
    } rows[] = {
        {"192.0.2.7", "192.0.2.7", "192.0.2.7:993", true},
        {"0.0.0.0", "0.0.0.0", "0.0.0.0:993", true},
        {"255.255.255.255", "255.255.255.255", "255.255.255.255:993", true},
        {"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7:993", true},
        {"::1", "::1", "[::1]:993", false},
        {"::", "::", "[::]:993", false},
        {"2001:DB8:0:0::1", "2001:db8::1", "[2001:db8::1]:993", false},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:993", false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[ADDR_TEXT];
        struct addr a = parsed(rows[i].text);
        cr_expect_eq(a.port, 0);
        cr_expect_eq(addr_is_v4(&a), rows[i].v4, "%s", rows[i].text);
        cr_expect_str_eq(addr_format(&a, false, text), rows[i].shown);
        a.port = 993;
        cr_expect_str_eq(addr_format(&a, true, text), rows[i].with_port);
    }
}

Test(addr, the_longest_text_fits)
{
    char text[ADDR_TEXT];
    struct addr a = parsed("1111:2222:3333:4444:5555:6666:7777:8888");

    a.port = 65535;
    cr_expect_str_eq(addr_format(&a, true, text),
                     "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

Test(addr, everything_else_is_refused_and_leaves_the_result_alone)
{
    const struct slice rows[] = {
        SLICE(""),
        SLICE("192.0.2"),
        SLICE("192.0.2.256"),
        SLICE("192.0.2.07"),
        SLICE("192.0.2.7 "),
        SLICE(" 192.0.2.7"),
        SLICE("192.0.2.7:993"),
        SLICE("0x7f.0.0.1"),
        SLICE("127.1"),
        SLICE("[::1]"),
        SLICE("::1%lo"),
        SLICE("1::2::3"),
        SLICE("12345::"),
        SLICE("example.org"),
        SLICE("192.0.2.7\0"),
        SLICE("::1\0x"),
        SLICE("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct addr a = {.port = 4711};
        cr_expect_not(addr_parse(rows[i], &a), "%s", rows[i].ptr);
        cr_expect_eq(a.port, 4711);
    }
}

Test(addr, bytes_of_either_length)
{
    struct addr v4 = addr_from_bytes("\xC0\x00\x02\x07", 4, 143);
    struct addr v6 = addr_from_bytes("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01", 16, 993);
    char text[ADDR_TEXT];

    cr_expect_str_eq(addr_format(&v4, true, text), "192.0.2.7:143");
    cr_expect_str_eq(addr_format(&v6, true, text), "[2001:db8::1]:993");
}

Test(addr, a_network_holds_what_it_should)
{
    static const struct {
        const char *net, *addr;
        bool has;
    } rows[] = {
        {"192.0.2.0/24", "192.0.2.0", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.4/30", "192.0.2.7", true},
        {"192.0.2.4/30", "192.0.2.8", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"192.0.2.7/32", "192.0.2.6", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "192.0.2.7", true},
        {"::/0", "2001:db8::1", true},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::2", false},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cidr net;
        struct addr a = parsed(rows[i].addr);
        cr_assert(cidr_parse(slice_str(rows[i].net), &net), "%s", rows[i].net);
        cr_expect_eq(cidr_has(&net, &a), rows[i].has, "%s in %s", rows[i].addr, rows[i].net);
    }
}

Test(addr, every_other_network_is_refused)
{
    static const char *const rows[] = {
        "",
        "/24",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/24/8",
        "192.0.2.1/24",
        "192.0.2.0/ 24",
        "11.0.0.0/7",
        "2001:db8::/129",
        "2001:db8::1/64",
        "192.0.2.0/99999999999999999999",
        "example.org/24",
        "192.0.2.0/24 ",
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cidr net = {.bits = 77};
        cr_expect_not(cidr_parse(slice_str(rows[i]), &net), "%s", rows[i]);
        cr_expect_eq(net.bits, 77);
    }
}
