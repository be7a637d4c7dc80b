/*
 * PROXY headers for a backend: exact bytes of a few, and of very many that what was put in is what
 * the reader, and a second look at the TLVs, get out.
 */
#include "waypost/proxyhdr/build.h"

#include <criterion/criterion.h>

#include "waypost/proxyhdr/proxyhdr.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const struct addr v4 = {.ip = {[10] = 0xFF, 0xFF, 192, 0, 2, 7}, .port = 56324};
static const struct addr v4b = {.ip = {[10] = 0xFF, 0xFF, 198, 51, 100, 9}, .port = 993};
static const struct addr v6 = {.ip = {0x20, 0x01, 0x0D, 0xB8, [15] = 7}, .port = 65535};
static const struct addr v6b = {.ip = {[15] = 1}, .port = 993};

static struct slice build(const struct proxyhdr_facts *facts)
{
    static char storage[PROXYHDR_BUILT_MAX + 1];
    struct str out = STR_ON(storage);

    cr_assert(proxyhdr_build(facts, &out));
    return str_slice(&out);
}

static struct proxyhdr read_back(struct slice header)
{
    struct proxyhdr hdr = {.fault = PROXYHDR_CRC};

    cr_assert_eq(proxyhdr_parse(header, &hdr), DONE, "%s", proxyhdr_fault_text(hdr.fault));
    cr_assert_eq(hdr.len, header.len);
    for (size_t n = 0; n < header.len; n++)
        cr_assert_eq(proxyhdr_parse(slice_take(header, n), &hdr), NEED_MORE, "at %zu", n);
    return hdr;
}

/* The value of the one TLV of a type; ptr NULL if there is none. */
static struct slice tlv_in(struct slice tlvs, int type)
{
    struct slice found = {NULL, 0};

    while (tlvs.len > 0) {
        const unsigned char *head = (const unsigned char *)tlvs.ptr;
        cr_assert_geq(tlvs.len, 3);
        size_t len = (size_t)(head[1] << 8 | head[2]);
        cr_assert_leq(len, tlvs.len - 3);
        cr_assert(head[0] != type || found.ptr == NULL, "type %d twice", type);
        if (head[0] == type)
            found = slice_of(tlvs.ptr + 3, len);
        tlvs = slice_skip(tlvs, 3 + len);
    }
    return found;
}

static struct slice tlvs_of(struct slice header)
{
    return slice_skip(header, header.ptr[13] == 0x11 ? 16 + 12 : 16 + 36);
}

static void expect_text(struct slice tlvs, int type, const char *text)
{
    bool there = text != NULL && *text != '\0' && strlen(text) <= PROXYHDR_TEXT_MAX;
    struct slice found = tlv_in(tlvs, type);

    cr_expect_eq(found.ptr != NULL, there, "type %d", type);
    cr_expect(!there || slice_eq(found, slice_str(text)), "type %d", type);
}

static bool same_addr(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->port == b->port;
}

Test(proxyhdr_build, version_1)
{
    const struct {
        const struct addr *source, *destination;
        const char *line;
    } rows[] = {
        {&v4, &v4b, "PROXY TCP4 192.0.2.7 198.51.100.9 56324 993\r\n"},
        {&v6, &v6b, "PROXY TCP6 2001:db8::7 ::1 65535 993\r\n"},
        {NULL, NULL, "PROXY UNKNOWN\r\n"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice header = build(&(struct proxyhdr_facts){
            .version = 1, .source = rows[i].source, .destination = rows[i].destination});
        struct proxyhdr hdr = read_back(header);
        cr_expect_str_eq(header.ptr, rows[i].line);
        cr_expect_eq(hdr.local, rows[i].source == NULL);
        cr_expect(hdr.local || same_addr(&hdr.source, rows[i].source));
        cr_expect(hdr.local || same_addr(&hdr.destination, rows[i].destination));
    }
}

Test(proxyhdr_build, t59_two_families_are_unknown_in_version_1)
{
    const struct proxyhdr_facts rows[] = {
        {.version = 1, .source = &v4, .destination = &v6b},
        {.version = 1, .source = &v6, .destination = &v4b},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice header = build(&rows[i]);
        cr_expect_str_eq(header.ptr, "PROXY UNKNOWN\r\n");
        cr_expect(read_back(header).local);
    }
}

Test(proxyhdr_build, the_longest_line_of_version_1)
{
    struct addr longest = {.port = 65535};

    memset(longest.ip, 0xFF, sizeof longest.ip);
    struct slice header =
        build(&(struct proxyhdr_facts){.version = 1, .source = &longest, .destination = &longest});
    struct proxyhdr hdr = read_back(header);
    cr_expect_leq(header.len, PROXYHDR_V1_MAX);
    cr_expect(same_addr(&hdr.source, &longest));
}

Test(proxyhdr_build, t59_a_checksum_covers_the_whole_of_version_2)
{
    /* CRC32c of the bytes with zeroes in place of the last four, computed elsewhere. */
    const struct slice want = SLICE(SIGNATURE "\x21\x11\0\x13"
                                              "\xC0\x00\x02\x07\xC6\x33\x64\x09\xDC\x04\x03\xE1"
                                              "\x03\0\x04\x79\x48\x19\xFD");
    struct slice header =
        build(&(struct proxyhdr_facts){.version = 2, .source = &v4, .destination = &v4b});
    char copy[128];

    cr_assert_eq(header.len, want.len);
    cr_expect(slice_eq(header, want));
    memcpy(copy, header.ptr, header.len);
    for (size_t i = 16; i < header.len; i++) {
        struct proxyhdr hdr = {.fault = PROXYHDR_FINE};
        copy[i] ^= 1;
        if (i < 16 + 12 || i >= header.len - 4) {
            cr_expect_eq(proxyhdr_parse(slice_of(copy, header.len), &hdr), BAD, "byte %zu", i);
            cr_expect_eq(hdr.fault, PROXYHDR_CRC, "byte %zu", i);
        }
        copy[i] ^= 1;
    }
}

Test(proxyhdr_build, t59_two_families_are_ipv6_in_version_2)
{
    const struct proxyhdr_facts rows[] = {
        {.version = 2, .source = &v4, .destination = &v6b},
        {.version = 2, .source = &v6, .destination = &v4b},
        {.version = 2, .source = &v6, .destination = &v6b},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice header = build(&rows[i]);
        struct proxyhdr hdr = read_back(header);
        cr_expect_eq(header.ptr[13], 0x21);
        cr_expect(same_addr(&hdr.source, rows[i].source), "row %zu", i);
        cr_expect(same_addr(&hdr.destination, rows[i].destination), "row %zu", i);
    }
}

Test(proxyhdr_build, t59_a_connection_of_our_own_is_local)
{
    struct slice header = build(&(struct proxyhdr_facts){
        .version = 2, .authority = "x", .tls = true, .tls_version = "TLSv1.3"});

    cr_expect(slice_eq(header, SLICE(SIGNATURE "\x20\0\0\0")));
    cr_expect(read_back(header).local);
}

Test(proxyhdr_build, what_tls_told_us)
{
    struct slice tlvs = tlvs_of(build(&(struct proxyhdr_facts){
        .version = 2,
        .source = &v4,
        .destination = &v4b,
        .unique_id = SLICE("0123456789abcdef"),
        .authority = "imap.example.org",
        .alpn = "imap",
        .tls = true,
        .tls_version = "TLSv1.3",
        .tls_cipher = "TLS_AES_128_GCM_SHA256",
        .tls_cn = "alice",
        .verified = true,
    }));

    cr_expect(slice_eq(tlv_in(tlvs, 0x01), SLICE("imap")));
    cr_expect(slice_eq(tlv_in(tlvs, 0x02), SLICE("imap.example.org")));
    cr_expect(slice_eq(tlv_in(tlvs, 0x05), SLICE("0123456789abcdef")));
    cr_expect(slice_eq(tlv_in(tlvs, 0x20), SLICE("\x07\0\0\0\0"
                                                 "\x21\0\x07TLSv1.3"
                                                 "\x23\0\x16TLS_AES_128_GCM_SHA256"
                                                 "\x22\0\x05"
                                                 "alice")));
}

Test(proxyhdr_build, certificates)
{
    const struct {
        const char *cn;
        bool verified, resumed;
        struct slice ssl;
    } rows[] = {
        {NULL, false, false, SLICE("\x01\0\0\0\x01")},
        {NULL, false, true, SLICE("\x01\0\0\0\x01")},
        {NULL, true, false, SLICE("\x07\0\0\0\0")},
        {NULL, true, true, SLICE("\x05\0\0\0\0")},
        {"", true, false, SLICE("\x07\0\0\0\0")},
        {"a", false, false,
         SLICE("\x07\0\0\0\x01\x22\0\x01"
               "a")},
        {"a", true, true,
         SLICE("\x05\0\0\0\0\x22\0\x01"
               "a")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice tlvs = tlvs_of(build(&(struct proxyhdr_facts){.version = 2,
                                                                   .source = &v4,
                                                                   .destination = &v4b,
                                                                   .tls = true,
                                                                   .tls_cn = rows[i].cn,
                                                                   .verified = rows[i].verified,
                                                                   .resumed = rows[i].resumed}));
        cr_expect(slice_eq(tlv_in(tlvs, 0x20), rows[i].ssl), "row %zu", i);
    }
}

Test(proxyhdr_build, without_tls_nothing_is_said_of_it)
{
    struct slice header = build(&(struct proxyhdr_facts){.version = 2,
                                                         .source = &v4,
                                                         .destination = &v4b,
                                                         .tls_version = "TLSv1.3",
                                                         .tls_cn = "a",
                                                         .verified = true});

    cr_expect_null(tlv_in(tlvs_of(header), 0x20).ptr);
    cr_expect_not(read_back(header).tls);
}

/* --- very many -------------------------------------------------------------------------------- */

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % sides;
}

static struct addr random_addr(uint32_t *seed)
{
    unsigned char ip[16];
    size_t len = dice(seed, 2) == 0 ? 4 : 16;

    for (size_t i = 0; i < sizeof ip; i++)
        ip[i] = (unsigned char)dice(seed, 256);
    return addr_from_bytes(ip, len, (uint16_t)dice(seed, 65536));
}

/* Text, NULL, or "", now and then longer than is allowed. */
static const char *random_text(uint32_t *seed, char storage[300])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t len = dice(seed, 4) == 0 ? 250 + dice(seed, 10) : dice(seed, 20);

    for (size_t i = 0; i < len; i++)
        storage[i] = letters[dice(seed, sizeof letters - 1)];
    storage[len] = '\0';
    return dice(seed, 5) == 0 ? NULL : storage;
}

static void expect_facts(const struct proxyhdr_facts *facts, struct slice header)
{
    struct slice tlvs = tlvs_of(header), ssl = tlv_in(tlvs, 0x20);
    struct slice id = tlv_in(tlvs, 0x05);
    struct proxyhdr hdr;

    cr_assert_eq(proxyhdr_parse(header, &hdr), DONE);
    cr_expect(same_addr(&hdr.source, facts->source));
    cr_expect(same_addr(&hdr.destination, facts->destination));
    cr_expect_eq(hdr.tls, facts->tls);
    cr_expect_eq(tlv_in(tlvs, 0x03).len, 4);
    expect_text(tlvs, 0x01, facts->alpn);
    expect_text(tlvs, 0x02, facts->authority);
    cr_expect_eq(id.ptr != NULL, facts->unique_id.len > 0 && facts->unique_id.len <= 128);
    cr_expect(id.ptr == NULL || slice_eq(id, facts->unique_id));
    cr_expect_eq(ssl.ptr != NULL, facts->tls);
    if (ssl.ptr == NULL)
        return;
    cr_expect_eq(slice_eq(slice_take(slice_skip(ssl, 1), 4), SLICE("\0\0\0\0")), facts->verified);
    expect_text(slice_skip(ssl, 5), 0x21, facts->tls_version);
    expect_text(slice_skip(ssl, 5), 0x23, facts->tls_cipher);
    expect_text(slice_skip(ssl, 5), 0x22, facts->tls_cn);
}

Test(proxyhdr_build, t59_whatever_is_put_in_comes_out)
{
    char text[6][300];
    uint32_t seed = 59;
    size_t longest = 0;

    for (int round = 0; round < 2000; round++) {
        struct addr source = random_addr(&seed), destination = random_addr(&seed);
        struct proxyhdr_facts facts = {
            .version = 2,
            .source = &source,
            .destination = &destination,
            .unique_id = slice_take(slice_str(random_text(&seed, text[0])), 126 + dice(&seed, 5)),
            .authority = random_text(&seed, text[1]),
            .alpn = random_text(&seed, text[2]),
            .tls = dice(&seed, 4) != 0,
            .resumed = dice(&seed, 2) == 0,
            .verified = dice(&seed, 2) == 0,
            .tls_version = random_text(&seed, text[3]),
            .tls_cipher = random_text(&seed, text[4]),
            .tls_cn = random_text(&seed, text[5]),
        };
        struct slice header = build(&facts);
        longest = header.len > longest ? header.len : longest;
        expect_facts(&facts, header);
    }
    cr_expect_gt(longest, 800, "long headers were among them");
}

Test(proxyhdr_build, the_longest_header_fits_and_less_room_is_noticed)
{
    char text[PROXYHDR_TEXT_MAX + 1] = "", storage[8 + PROXYHDR_BUILT_MAX + 1];
    struct proxyhdr_facts facts = {.source = &v6,
                                   .destination = &v6b,
                                   .unique_id = slice_of(text, PROXYHDR_ID_MAX),
                                   .authority = text,
                                   .alpn = text,
                                   .tls = true,
                                   .tls_version = text,
                                   .tls_cipher = text,
                                   .tls_cn = text};

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (facts.version = 1; facts.version <= 2; facts.version++) {
        size_t len = build(&facts).len;
        cr_expect_eq(len, facts.version == 2 ? PROXYHDR_BUILT_MAX : 38);
        for (size_t room = 1; room <= len; room++) {
            struct str out = str_on(storage, room);
            memset(storage + room, '~', sizeof storage - room);
            cr_expect_not(proxyhdr_build(&facts, &out), "version %u, %zu", facts.version, room);
            for (size_t i = room; i < sizeof storage; i++)
                cr_assert_eq(storage[i], '~', "version %u, %zu", facts.version, room);
        }
    }
}

Test(proxyhdr_build, is_appended)
{
    char storage[128];
    struct str out = STR_ON(storage);
    struct proxyhdr hdr;

    str_add(&out, SLICE("before"));
    cr_assert(proxyhdr_build(
        &(struct proxyhdr_facts){.version = 2, .source = &v4, .destination = &v6}, &out));
    cr_expect(slice_starts(str_slice(&out), SLICE("before")));
    hdr = read_back(slice_skip(str_slice(&out), 6));
    cr_expect(same_addr(&hdr.source, &v4));
}
