/*
 * Writes the PROXY protocol header that tells a backend who the client is. Owns nothing; appends to
 * the caller's builder and patches only what it wrote there itself. Never says what it was not
 * told, never looks anything up.
 * Source: haproxy's proxy-protocol.txt, sections 2.1 (version 1) and 2.2 (version 2).
 */
#include "waypost/proxyhdr/build.h"

#include <assert.h>

#include "waypost/proxyhdr/proxyhdr.h"
#include "wire.h"

#define TEXT_TLV  (TLV_HEAD + PROXYHDR_TEXT_MAX)
#define ADDRESSES (2u * 16 + 2u * 2)

static_assert(V2_FIXED + ADDRESSES + 2 * TEXT_TLV + TLV_HEAD + PROXYHDR_ID_MAX + TLV_HEAD +
                      CRC_SIZE + TLV_HEAD + SSL_FIXED + 3 * TEXT_TLV ==
                  PROXYHDR_BUILT_MAX,
              "addresses, ALPN, authority, unique id, checksum, SSL with version, cipher, name");
static_assert(PROXYHDR_BUILT_MAX <= PROXYHDR_MAX && PROXYHDR_BUILT_MAX <= 1500, "is accepted");

static bool one_family(const struct proxyhdr_facts *facts)
{
    return addr_is_v4(facts->source) == addr_is_v4(facts->destination);
}

/* --- version 1 -------------------------------------------------------------------------------- */

static void build_v1(const struct proxyhdr_facts *facts, struct str *out)
{
    char source[ADDR_TEXT], destination[ADDR_TEXT];

    if (facts->source == NULL || !one_family(facts)) {
        str_add(out, SLICE("PROXY UNKNOWN\r\n"));
        return;
    }
    str_addf(out, "PROXY TCP%c %s %s %u %u\r\n", addr_is_v4(facts->source) ? '4' : '6',
             addr_format(facts->source, false, source),
             addr_format(facts->destination, false, destination), (unsigned)facts->source->port,
             (unsigned)facts->destination->port);
}

/* --- version 2 -------------------------------------------------------------------------------- */

static void add_byte(struct str *out, unsigned byte)
{
    str_addc(out, (char)(unsigned char)byte);
}

static void add_word(struct str *out, unsigned word)
{
    add_byte(out, word >> 8);
    add_byte(out, word & 0xFF);
}

/* Overwrites `size` bytes written earlier with a number in network order. */
static void patch(struct str *out, size_t at, size_t size, uint32_t value)
{
    while (size > 0) {
        out->data[at + --size] = (char)(unsigned char)(value & 0xFF);
        value >>= 8;
    }
}

/* The length of a TLV, or of the header, is known when all of it is there. */
static void patch_length(struct str *out, size_t at)
{
    patch(out, at, 2, (uint32_t)(out->len - at - 2));
}

static void add_tlv(struct str *out, enum tlv_type type, struct slice value, size_t max)
{
    if (value.len == 0 || value.len > max)
        return;
    add_byte(out, type);
    add_word(out, (unsigned)value.len);
    str_add(out, value);
}

static void add_text(struct str *out, enum tlv_type type, const char *text)
{
    add_tlv(out, type, slice_str(text), PROXYHDR_TEXT_MAX);
}

/* Section 2.2.6. `verify` is zero only for a certificate that was shown and found good. */
static void add_ssl(const struct proxyhdr_facts *facts, struct str *out)
{
    bool shown = facts->tls_cn != NULL || facts->verified;
    unsigned client = SSL_TLS;
    size_t length = out->len + 1;

    if (shown)
        client |= facts->resumed ? SSL_CERT_SESS : SSL_CERT_SESS | SSL_CERT_CONN;
    add_byte(out, TLV_SSL);
    add_word(out, 0);
    add_byte(out, client);
    add_word(out, 0);
    add_word(out, facts->verified ? 0 : 1);
    add_text(out, TLV_SSL_VERSION, facts->tls_version);
    add_text(out, TLV_SSL_CIPHER, facts->tls_cipher);
    add_text(out, TLV_SSL_CN, facts->tls_cn);
    if (!out->overflow)
        patch_length(out, length);
}

static void add_addresses(const struct proxyhdr_facts *facts, bool v4, struct str *out)
{
    size_t skip = v4 ? 12 : 0; /* the prefix of a mapped address */

    str_add(out, slice_of(facts->source->ip + skip, 16 - skip));
    str_add(out, slice_of(facts->destination->ip + skip, 16 - skip));
    add_word(out, facts->source->port);
    add_word(out, facts->destination->port);
}

static void add_facts(const struct proxyhdr_facts *facts, size_t begin, struct str *out)
{
    size_t crc;

    add_text(out, TLV_ALPN, facts->alpn);
    add_text(out, TLV_AUTHORITY, facts->authority);
    add_tlv(out, TLV_UNIQUE_ID, facts->unique_id, PROXYHDR_ID_MAX);
    if (facts->tls)
        add_ssl(facts, out);
    add_tlv(out, TLV_CRC32C, SLICE("\0\0\0\0"), CRC_SIZE);
    if (out->overflow)
        return;
    crc = out->len - CRC_SIZE;
    patch_length(out, begin + V2_LENGTH);
    patch(out, crc, CRC_SIZE,
          proxyhdr_crc32c(slice_of(out->data + begin, out->len - begin), crc - begin));
}

static void build_v2(const struct proxyhdr_facts *facts, struct str *out)
{
    bool local = facts->source == NULL;
    bool v4 = !local && addr_is_v4(facts->source) && one_family(facts);
    enum family family = local ? FAMILY_UNSPEC : v4 ? FAMILY_INET : FAMILY_INET6;
    size_t begin = out->len;

    str_add(out, V2_SIGNATURE);
    add_byte(out, 2u << 4 | (local ? COMMAND_LOCAL : COMMAND_PROXY));
    add_byte(out, (unsigned)family << 4 | (local ? TRANSPORT_UNSPEC : TRANSPORT_STREAM));
    add_word(out, 0);
    if (local)
        return;
    add_addresses(facts, v4, out);
    add_facts(facts, begin, out);
}

/* --- both ------------------------------------------------------------------------------------- */

bool proxyhdr_build(const struct proxyhdr_facts *facts, struct str *out)
{
    REQUIRE(facts->version == 1 || facts->version == 2);
    REQUIRE((facts->source == NULL) == (facts->destination == NULL));
    if (facts->version == 1)
        build_v1(facts, out);
    else
        build_v2(facts, out);
    return !out->overflow;
}
