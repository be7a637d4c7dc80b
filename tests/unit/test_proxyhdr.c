/*
 * The PROXY header: every header is parsed whole, byte by byte and with bytes behind it, and must
 * give the same each time; every proper prefix must ask for more.
 */
#include "waypost/proxyhdr/proxyhdr.h"

#include <criterion/criterion.h>

#include "waypost/base/str.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define INET \
    "\xC0\x00\x02\x07\xC6\x33\x64\x09\xDC\x04\x03\xE1" /* 192.0.2.7:56324 198.51.100.9:993 */

/* Parses `header`, and checks that its last byte decides, no earlier and no later one. */
static enum result parse(struct slice header, struct proxyhdr *out)
{
    static const char after[] = "\x16\x03\x01 PROXY";
    char storage[2 * PROXYHDR_MAX];
    struct str text = STR_ON(storage);
    struct proxyhdr longer = {.len = 1};
    enum result result = proxyhdr_parse(header, out);

    for (size_t n = 0; n < header.len; n++) {
        struct proxyhdr untouched = {.len = 4711};
        cr_assert_eq(proxyhdr_parse(slice_take(header, n), &untouched), NEED_MORE, "at %zu", n);
        cr_assert_eq(untouched.len, 4711);
    }
    str_add(&text, header);
    str_add(&text, SLICE(after));
    cr_assert_not(text.overflow);
    cr_expect_eq(proxyhdr_parse(str_slice(&text), &longer), result);
    cr_expect_eq(longer.fault, out->fault);
    cr_expect_eq(longer.len, result == DONE ? header.len : 0);
    return result;
}

static void expect_fault(struct slice header, enum proxyhdr_fault fault)
{
    struct proxyhdr hdr = {.len = 1, .local = true, .authority = "x"};

    cr_expect_eq(parse(header, &hdr), BAD, "%.40s", header.ptr);
    cr_expect_eq(hdr.fault, fault, "%.40s: %s", header.ptr, proxyhdr_fault_text(hdr.fault));
    cr_expect(hdr.len == 0 && !hdr.local && hdr.authority[0] == '\0', "facts of a bad header");
}

static struct proxyhdr good(struct slice header)
{
    struct proxyhdr hdr = {.fault = PROXYHDR_CRC};

    cr_assert_eq(parse(header, &hdr), DONE, "%.40s", header.ptr);
    cr_expect_eq(hdr.fault, PROXYHDR_FINE);
    cr_expect_eq(hdr.len, header.len);
    return hdr;
}

static void expect_addresses(const struct proxyhdr *hdr, const char *source, const char *target)
{
    char text[ADDR_TEXT];

    cr_expect_not(hdr->local);
    cr_expect_str_eq(addr_format(&hdr->source, true, text), source);
    cr_expect_str_eq(addr_format(&hdr->destination, true, text), target);
}

static void begin_v2(struct str *out, const char *fixed, size_t len)
{
    str_add(out, SLICE(SIGNATURE));
    str_add(out, slice_of(fixed, 2));
    str_addc(out, (char)(len >> 8));
    str_addc(out, (char)(len & 0xFF));
}

/* Version 2, PROXY, TCP over IPv4, with the TLVs given. */
static struct slice with_tlvs(struct slice tlvs)
{
    static char storage[256];
    struct str out = STR_ON(storage);

    begin_v2(&out, "\x21\x11", 12 + tlvs.len);
    str_add(&out, SLICE(INET));
    str_add(&out, tlvs);
    cr_assert_not(out.overflow);
    return str_slice(&out);
}

Test(proxyhdr, version_1)
{
    static const struct {
        const char *line, *source, *target;
    } rows[] = {
        {"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324",
         "192.168.0.11:443"},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535",
         "255.255.255.255:65535"},
        {"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0", "0.0.0.0:0"},
        {"PROXY TCP6 2001:DB8::1 ::1 1 993\r\n", "[2001:db8::1]:1", "[::1]:993"},
        {"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 993\r\n", "192.0.2.7:1", "[::1]:993"},
        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxyhdr hdr = good(slice_str(rows[i].line));
        cr_expect_eq(hdr.version, 1);
        cr_expect(!hdr.tls && hdr.authority[0] == '\0');
        expect_addresses(&hdr, rows[i].source, rows[i].target);
    }
}

Test(proxyhdr, version_1_unknown_keeps_the_addresses_of_the_connection)
{
    static const char *const rows[] = {
        "PROXY UNKNOWN\r\n",
        "PROXY UNKNOWN \r\n",
        "PROXY UNKNOWN whatever 1 2 3 4 5 6 7\r\n",
        ("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxyhdr hdr = good(slice_str(rows[i]));
        cr_expect(hdr.local);
        cr_expect_eq(hdr.source.port, 0);
    }
}

Test(proxyhdr, version_1_malformed)
{
    const struct slice rows[] = {
        SLICE("PROXY \r\n"),
        SLICE("PROXY TCP4\r\n"),
        SLICE("PROXY TCP5 192.0.2.7 192.0.2.8 1 2\r\n"),
        SLICE("PROXY tcp4 192.0.2.7 192.0.2.8 1 2\r\n"),
        SLICE("PROXY  TCP4 192.0.2.7 192.0.2.8 1 2\r\n"),
        SLICE("PROXY TCP4  192.0.2.7 192.0.2.8 1 2\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 1 2 \r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 1 \r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 -1 2\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 01 2\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 00 2\r\n"),
        SLICE("PROXY TCP4 192.0.2.07 192.0.2.8 1 2\r\n"),
        SLICE("PROXY TCP4 192.0.2.7\0 192.0.2.8 1 2\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\r\n"),
        SLICE("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\rx\r\n"),
        SLICE("PROXY UNKNOWN\n"),
        SLICE("PROXY UNKNOWNS\r\n"),
        SLICE("PROXY UNKNOWN a\nb\r\n"),
        SLICE("PROXY \n"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t end = slice_find(rows[i], '\n') + 1;
        expect_fault(slice_take(rows[i], end), PROXYHDR_MALFORMED);
    }
}

Test(proxyhdr, t59_version_1_wants_one_family)
{
    expect_fault(SLICE("PROXY TCP4 192.0.2.7 ::1 1 2\r\n"), PROXYHDR_MALFORMED);
    expect_fault(SLICE("PROXY TCP4 ::1 192.0.2.7 1 2\r\n"), PROXYHDR_MALFORMED);
    expect_fault(SLICE("PROXY TCP4 ::1 ::1 1 2\r\n"), PROXYHDR_MALFORMED);
    expect_fault(SLICE("PROXY TCP6 192.0.2.7 ::1 1 2\r\n"), PROXYHDR_MALFORMED);
    expect_fault(SLICE("PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n"), PROXYHDR_MALFORMED);
}

Test(proxyhdr, version_1_ends_within_107_bytes)
{
    char line[PROXYHDR_V1_MAX + 3];

    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    memcpy(line + PROXYHDR_V1_MAX - 2, "\r\n", 2);
    cr_expect(good(slice_of(line, PROXYHDR_V1_MAX)).local);
    memcpy(line + PROXYHDR_V1_MAX - 2, "x\r\n", 3);
    expect_fault(slice_of(line, PROXYHDR_V1_MAX), PROXYHDR_TOO_LONG);
}

Test(proxyhdr, anything_else_is_absent_at_its_first_wrong_byte)
{
    const struct slice rows[] = {
        SLICE("a"),
        SLICE("\x16"),
        SLICE("PROXX"),
        SLICE("PROXY\r"),
        SLICE("PROXYX"),
        SLICE("p"),
        SLICE("\n"),
        SLICE("\r\r"),
        SLICE("\r\n\r\n\1"),
        SLICE("\r\n\r\n\0\n"),
        SLICE("\r\n\r\n\0\r\nQUIZ"),
        SLICE(" "),
        SLICE("\r\n\r\n\0\r\nQUIT\r"),
        SLICE("\0"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_fault(rows[i], PROXYHDR_ABSENT);
}

Test(proxyhdr, version_2_over_ipv4_and_ipv6)
{
    struct proxyhdr v4 = good(SLICE(SIGNATURE "\x21\x11\0\x0C" INET));
    struct proxyhdr v6 = good(SLICE(SIGNATURE "\x21\x21\0\x24"
                                              "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07"
                                              "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                              "\xFF\xFF\x03\xE1"));

    cr_expect_eq(v4.version, 2);
    cr_expect(!v4.tls && v4.authority[0] == '\0');
    expect_addresses(&v4, "192.0.2.7:56324", "198.51.100.9:993");
    expect_addresses(&v6, "[2001:db8::7]:65535", "[::1]:993");
}

Test(proxyhdr, t59_local_and_unsupported_families_keep_the_addresses_of_the_connection)
{
    const struct slice rows[] = {
        SLICE(SIGNATURE "\x20\x00\0\0"),        SLICE(SIGNATURE "\x20\x11\0\x0C" INET),
        SLICE(SIGNATURE "\x20\x11\0\x03xyz"), /* LOCAL: the block is not looked at */
        SLICE(SIGNATURE "\x20\xFF\0\0"),      /* nor is the family */
        SLICE(SIGNATURE "\x21\x00\0\0"),        SLICE(SIGNATURE "\x21\x00\0\x05+++++"),
        SLICE(SIGNATURE "\x21\x10\0\x0C" INET), SLICE(SIGNATURE "\x21\x12\0\x0C" INET), /* UDP */
        SLICE(SIGNATURE "\x21\x31\0\x04path"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxyhdr hdr = good(rows[i]);
        cr_expect(hdr.local, "row %zu", i);
        cr_expect_eq(hdr.source.port, 0);
    }
}

Test(proxyhdr, version_2_malformed)
{
    const struct slice whole[] = {
        SLICE(SIGNATURE "\x21\x11\0\x0B\xC0\x00\x02\x07\xC6\x33\x64\x09\xDC\x04\x03"),
        SLICE(SIGNATURE "\x21\x11\0\0"),
        SLICE(SIGNATURE "\x21\x21\0\x0C" INET),
        SLICE(SIGNATURE "\x21\x11\0\x0D" INET "\x04"),      /* half a TLV */
        SLICE(SIGNATURE "\x21\x11\0\x0E" INET "\x04\0"),    /* nearly a TLV */
        SLICE(SIGNATURE "\x21\x11\0\x10" INET "\x04\0\2x"), /* longer than the header */
        SLICE(SIGNATURE "\x21\x11\0\x10" INET "\x04\xFF\xFFx"),
    };
    const struct slice fixed[] = {
        SLICE(SIGNATURE "\x11\x11\0\x0C"), /* version 1 */
        SLICE(SIGNATURE "\x31\x11\0\x0C"), SLICE(SIGNATURE "\x01\x11\0\x0C"),
        SLICE(SIGNATURE "\x22\x11\0\x0C"), /* unassigned command */
        SLICE(SIGNATURE "\x21\x41\0\x0C"), /* unassigned family */
        SLICE(SIGNATURE "\x21\x13\0\x0C"), /* unassigned transport */
    };

    for (size_t i = 0; i < COUNT_OF(whole); i++)
        expect_fault(whole[i], PROXYHDR_MALFORMED);
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        expect_fault(fixed[i], PROXYHDR_MALFORMED);
}

Test(proxyhdr, version_2_is_bounded)
{
    static char storage[PROXYHDR_MAX + 8];
    struct str out = STR_ON(storage);
    size_t rest = PROXYHDR_MAX - 16 - 12 - 3;

    begin_v2(&out, "\x21\x11", PROXYHDR_MAX - 16);
    str_add(&out, SLICE(INET "\xE0"));
    str_addc(&out, (char)(rest >> 8));
    str_addc(&out, (char)(rest & 0xFF));
    while (out.len < PROXYHDR_MAX)
        str_addc(&out, 'x');
    cr_assert_not(out.overflow);
    cr_expect_eq(good(str_slice(&out)).len, PROXYHDR_MAX);

    out = STR_ON(storage);
    begin_v2(&out, "\x21\x11", PROXYHDR_MAX - 16 + 1);
    expect_fault(str_slice(&out), PROXYHDR_TOO_LONG);
    expect_fault(SLICE(SIGNATURE "\x20\x00\xFF\xFF"), PROXYHDR_TOO_LONG);
}

Test(proxyhdr, t59_tlvs_in_any_order_and_unknown_ones_between)
{
    const struct slice rows[] = {
        SLICE("\x02\0\x0Bimap.ex.org\x20\0\5\1\0\0\0\0"),
        SLICE("\x20\0\5\1\0\0\0\0\x02\0\x0Bimap.ex.org"),
        SLICE("\x04\0\0\x20\0\x0F\7\0\0\0\1\x21\0\7TLSv1.3\xEE\0\1!\x02\0\x0Bimap.ex.org\xFF\0\0"),
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxyhdr hdr = good(with_tlvs(rows[i]));
        expect_addresses(&hdr, "192.0.2.7:56324", "198.51.100.9:993");
        cr_expect(hdr.tls, "row %zu", i);
        cr_expect_str_eq(hdr.authority, "imap.ex.org");
    }
}

Test(proxyhdr, tls_only_if_the_client_spoke_it_to_the_sender)
{
    cr_expect_not(good(with_tlvs(SLICE("\x20\0\5\0\0\0\0\0"))).tls);
    cr_expect_not(good(with_tlvs(SLICE("\x20\0\5\6\0\0\0\0"))).tls);
    expect_fault(with_tlvs(SLICE("\x20\0\4\1\0\0\0")), PROXYHDR_MALFORMED);
    expect_fault(with_tlvs(SLICE("\x20\0\0")), PROXYHDR_MALFORMED);
}

Test(proxyhdr, t80_an_authority_is_a_host_name_or_nothing)
{
    const struct slice rows[] = {
        SLICE("\x02\0\0"),      SLICE("\x02\0\4a\r\nb"), SLICE("\x02\0\3a b"),
        SLICE("\x02\0\3a\0b"),  SLICE("\x02\0\3\x1B[m"), SLICE("\x02\0\3a\xC3\xA4"),
        SLICE("\x02\0\5*.org"), SLICE("\x02\0\3::1"),    SLICE("\x02\0\3a/b"),
    };
    char tlv[3 + 254] = "\x02\0\xFD";

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_str_eq(good(with_tlvs(rows[i])).authority, "", "row %zu", i);
    memset(tlv + 3, 'a', 254);
    char storage[512];
    for (size_t len = 253; len <= 254; len++) {
        struct str out = STR_ON(storage);
        tlv[2] = (char)len;
        begin_v2(&out, "\x21\x11", 12 + 3 + len);
        str_add(&out, SLICE(INET));
        str_add(&out, slice_of(tlv, 3 + len));
        cr_expect_eq(strlen(good(str_slice(&out)).authority), len == 253 ? len : 0);
    }
}

/* Bit by bit from the top, unlike the parser: RFC 4960 appendix B in the order it is written. */
static uint32_t crc32c(struct slice bytes)
{
    uint32_t crc = UINT32_MAX, mirrored = 0;

    for (size_t i = 0; i < 8 * bytes.len; i++) {
        uint32_t bit = (uint32_t)((unsigned char)bytes.ptr[i / 8] >> i % 8 & 1);
        crc = (crc >> 31 ^ bit) != 0 ? crc << 1 ^ 0x1EDC6F41u : crc << 1;
    }
    for (int i = 0; i < 32; i++)
        mirrored |= (crc >> i & 1) << (31 - i);
    return ~mirrored;
}

Test(proxyhdr, t59_a_checksum_is_verified_wherever_it_stands)
{
    const struct {
        struct slice tlvs;
        size_t crc; /* where in `tlvs` the value stands */
    } rows[] = {
        {SLICE("\3\0\4\0\0\0\0"), 3},
        {SLICE("\3\0\4\0\0\0\0\x02\0\1a"), 3},
        {SLICE("\x02\0\1a\3\0\4\0\0\0\0"), 7},
        {SLICE("\x02\0\1a\3\0\4\0\0\0\0\x04\0\2xx"), 7},
    };

    cr_assert_eq(crc32c(SLICE("123456789")), 0xE3069283u);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char copy[128];
        struct slice header = with_tlvs(rows[i].tlvs);
        size_t at = 16 + 12 + rows[i].crc;
        uint32_t crc = crc32c(header);
        memcpy(copy, header.ptr, header.len);
        header.ptr = copy;
        expect_fault(header, PROXYHDR_CRC);
        for (size_t k = 0; k < 4; k++)
            copy[at + k] = (char)(crc >> (24 - 8 * k) & 0xFF);
        cr_expect_not(good(header).local, "row %zu", i);
        for (size_t k = 16; k < 16 + 12; k++) {
            copy[k] ^= 1;
            expect_fault(header, PROXYHDR_CRC);
            copy[k] ^= 1;
        }
    }
}

Test(proxyhdr, t59_a_checksum_that_is_none_is_malformed)
{
    expect_fault(with_tlvs(SLICE("\3\0\3\0\0\0")), PROXYHDR_MALFORMED);
    expect_fault(with_tlvs(SLICE("\3\0\5\0\0\0\0\0")), PROXYHDR_MALFORMED);
    expect_fault(with_tlvs(SLICE("\3\0\4\0\0\0\0\3\0\4\0\0\0\0")), PROXYHDR_MALFORMED);
}

Test(proxyhdr, every_fault_has_a_text)
{
    for (int fault = PROXYHDR_FINE; fault <= PROXYHDR_TOO_LONG; fault++)
        cr_expect_gt(strlen(proxyhdr_fault_text((enum proxyhdr_fault)fault)), 0);
}
