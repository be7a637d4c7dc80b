/*
 * Reads the PROXY protocol header from the bytes a connection begins with. Owns nothing, keeps
 * nothing between calls: it starts over each time until the whole header is there. Never guesses
 * whether a header was meant; never trusts a sender, which is the caller's decision.
 * Source: haproxy's proxy-protocol.txt, sections 2.1 (version 1) and 2.2 (version 2).
 */
#include "waypost/proxyhdr/proxyhdr.h"

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "wire.h"

#define NO_CRC 0u /* no TLV begins at byte 0 */

static const char *const fault_text[] = {
    [PROXYHDR_FINE] = "fine",
    [PROXYHDR_ABSENT] = "no PROXY header",
    [PROXYHDR_MALFORMED] = "malformed PROXY header",
    [PROXYHDR_CRC] = "PROXY header with wrong checksum",
    [PROXYHDR_TOO_LONG] = "PROXY header too long",
};

const char *proxyhdr_fault_text(enum proxyhdr_fault fault)
{
    REQUIRE((size_t)fault < COUNT_OF(fault_text));
    return fault_text[fault];
}

/* --- version 1 -------------------------------------------------------------------------------- */

/* Leading zeroes are forbidden, lest somebody read octal. */
static bool parse_port(struct slice text, uint16_t *out)
{
    unsigned long value;

    if ((text.len > 1 && *text.ptr == '0') || !slice_number(text, UINT16_MAX, &value))
        return false;
    *out = (uint16_t)value;
    return true;
}

static bool parse_family(struct slice text, bool v6, struct addr *out)
{
    return (slice_find(text, ':') < text.len) == v6 && addr_parse(text, out);
}

static enum proxyhdr_fault parse_line(struct slice line, struct proxyhdr *out)
{
    struct slice protocol = slice_cut(&line, ' ');
    bool v6 = slice_eq(protocol, SLICE("TCP6"));
    bool good;

    if (slice_eq(protocol, SLICE("UNKNOWN"))) {
        out->local = true;
        return PROXYHDR_FINE;
    }
    if (!v6 && !slice_eq(protocol, SLICE("TCP4")))
        return PROXYHDR_MALFORMED;
    good = parse_family(slice_cut(&line, ' '), v6, &out->source) &&
           parse_family(slice_cut(&line, ' '), v6, &out->destination) &&
           parse_port(slice_cut(&line, ' '), &out->source.port) &&
           parse_port(line, &out->destination.port);
    return good ? PROXYHDR_FINE : PROXYHDR_MALFORMED;
}

static enum result parse_v1(struct slice bytes, struct slice signature, struct proxyhdr *out)
{
    struct slice window = slice_take(bytes, PROXYHDR_V1_MAX);
    size_t lf = slice_find(window, '\n');

    out->version = 1;
    if (lf == window.len) {
        out->fault = PROXYHDR_TOO_LONG;
        return window.len < PROXYHDR_V1_MAX ? NEED_MORE : BAD;
    }
    out->len = lf + 1;
    /* A bare LF does not end the line, and may not stand inside it either. */
    if (window.ptr[lf - 1] != '\r')
        out->fault = PROXYHDR_MALFORMED;
    else
        out->fault = parse_line(slice_skip(slice_take(window, lf - 1), signature.len), out);
    return out->fault == PROXYHDR_FINE ? DONE : BAD;
}

/* --- version 2 -------------------------------------------------------------------------------- */

static unsigned byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.ptr[at];
}

static uint16_t word_at(struct slice bytes, size_t at)
{
    return (uint16_t)(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

/* RFC 4960 appendix B, reflected, a bit at a time: a header is short and comes once. */
uint32_t proxyhdr_crc32c(struct slice header, size_t hole)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < header.len; i++) {
        crc ^= i - hole < CRC_SIZE ? 0 : byte_at(header, i);
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
    }
    return ~crc;
}

static bool is_host_name(struct slice name)
{
    if (name.len == 0 || name.len > LIMIT_HOST)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    }
    return true;
}

static void take_authority(struct slice name, struct proxyhdr *out)
{
    struct str text = STR_ON(out->authority);

    if (is_host_name(name))
        str_add(&text, name);
}

/* One TLV whose value is at `at` in the header; notes where a checksum stands. */
static bool take_tlv(unsigned type, struct slice value, size_t at, size_t *crc,
                     struct proxyhdr *out)
{
    switch (type) {
    case TLV_AUTHORITY:
        take_authority(value, out);
        return true;
    case TLV_SSL:
        out->tls = value.len >= SSL_FIXED && (byte_at(value, 0) & SSL_TLS) != 0;
        return value.len >= SSL_FIXED;
    case TLV_CRC32C:
        if (value.len != CRC_SIZE || *crc != NO_CRC)
            return false;
        *crc = at;
        return true;
    default:
        return true;
    }
}

static enum proxyhdr_fault parse_tlvs(struct slice header, size_t at, struct proxyhdr *out)
{
    size_t crc = NO_CRC;

    while (at < header.len) {
        if (header.len - at < TLV_HEAD)
            return PROXYHDR_MALFORMED;
        unsigned type = byte_at(header, at);
        size_t len = word_at(header, at + 1);
        at += TLV_HEAD;
        if (len > header.len - at)
            return PROXYHDR_MALFORMED;
        if (!take_tlv(type, slice_take(slice_skip(header, at), len), at, &crc, out))
            return PROXYHDR_MALFORMED;
        at += len;
    }
    if (crc == NO_CRC)
        return PROXYHDR_FINE;
    uint32_t said = (uint32_t)word_at(header, crc) << 16 | word_at(header, crc + 2);
    return said == proxyhdr_crc32c(header, crc) ? PROXYHDR_FINE : PROXYHDR_CRC;
}

static enum proxyhdr_fault parse_block(struct slice header, struct proxyhdr *out)
{
    unsigned command = byte_at(header, 12) & 0x0F;
    unsigned family = byte_at(header, 13) >> 4, transport = byte_at(header, 13) & 0x0F;
    size_t ip_len = family == FAMILY_INET ? 4 : 16;
    size_t ports = V2_FIXED + 2 * ip_len;

    out->local = command == COMMAND_LOCAL || transport != TRANSPORT_STREAM ||
                 (family != FAMILY_INET && family != FAMILY_INET6);
    if (out->local)
        return PROXYHDR_FINE;
    if (header.len < ports + 4)
        return PROXYHDR_MALFORMED;
    out->source = addr_from_bytes(header.ptr + V2_FIXED, ip_len, word_at(header, ports));
    out->destination =
        addr_from_bytes(header.ptr + V2_FIXED + ip_len, ip_len, word_at(header, ports + 2));
    return parse_tlvs(header, ports + 4, out);
}

/* What the fixed part alone decides. The family of a LOCAL header is to be ignored. */
static enum proxyhdr_fault check_fixed(struct slice bytes)
{
    unsigned version = byte_at(bytes, 12) >> 4, command = byte_at(bytes, 12) & 0x0F;
    unsigned family = byte_at(bytes, 13) >> 4, transport = byte_at(bytes, 13) & 0x0F;

    if (version != 2 || command > COMMAND_PROXY)
        return PROXYHDR_MALFORMED;
    if (command == COMMAND_PROXY && (family >= FAMILY_COUNT || transport >= TRANSPORT_COUNT))
        return PROXYHDR_MALFORMED;
    return V2_FIXED + word_at(bytes, V2_LENGTH) > PROXYHDR_MAX ? PROXYHDR_TOO_LONG : PROXYHDR_FINE;
}

static enum result parse_v2(struct slice bytes, struct proxyhdr *out)
{
    out->version = 2;
    if (bytes.len < V2_FIXED)
        return NEED_MORE;
    out->fault = check_fixed(bytes);
    if (out->fault != PROXYHDR_FINE)
        return BAD;
    out->len = V2_FIXED + word_at(bytes, V2_LENGTH);
    if (bytes.len < out->len)
        return NEED_MORE;
    out->fault = parse_block(slice_take(bytes, out->len), out);
    return out->fault == PROXYHDR_FINE ? DONE : BAD;
}

/* --- both ------------------------------------------------------------------------------------- */

enum result proxyhdr_parse(struct slice bytes, struct proxyhdr *out)
{
    const struct slice v1 = SLICE("PROXY ");
    const struct slice v2 = V2_SIGNATURE;
    struct proxyhdr found = {.fault = PROXYHDR_FINE};
    enum result result = BAD;

    if (slice_starts(bytes, v1))
        result = parse_v1(bytes, v1, &found);
    else if (slice_starts(bytes, v2))
        result = parse_v2(bytes, &found);
    else if (slice_starts(v1, bytes) || slice_starts(v2, bytes))
        result = NEED_MORE;
    else
        found.fault = PROXYHDR_ABSENT;
    if (result == BAD)
        found = (struct proxyhdr){.fault = found.fault};
    if (result != NEED_MORE)
        *out = found;
    return result;
}
