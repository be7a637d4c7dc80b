/*
 * Base64, the strict way: one text for one value, so that nobody behind us reads it differently.
 * Owns nothing; leaves no copy of the bytes anywhere but in `out`. RFC 4648 sections 3 and 4.
 */
#include "waypost/sasl/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NO_DIGIT 64u

static unsigned digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : NO_DIGIT;
}

/* Four characters, the last `pad` of them '=', become 3 - pad bytes. False also when the bits that
 * padding leaves over are not zero (RFC 4648 section 3.5). */
static bool decode_quad(const char *quad, size_t pad, char *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned value = i < 4 - pad ? digit_value(quad[i]) : 0;
        if (value == NO_DIGIT)
            return false;
        bits = bits << 6 | value;
    }
    if ((bits & ((1u << 8 * pad) - 1)) != 0)
        return false;
    for (size_t i = 0; i < 3 - pad; i++)
        out[i] = (char)(unsigned char)(bits >> (16 - 8 * i));
    return true;
}

static size_t padding(struct slice text)
{
    if (text.len == 0 || text.ptr[text.len - 1] != '=')
        return 0;
    return text.ptr[text.len - 2] == '=' ? 2 : 1;
}

bool base64_decode(struct slice text, struct secret *out)
{
    size_t quads = text.len / 4, pad;

    secret_clear(out);
    if (text.len % 4 != 0)
        return false;
    pad = padding(text);
    if (!secret_make(out, 3 * quads - pad))
        return false;
    for (size_t i = 0; i < quads; i++) {
        if (!decode_quad(text.ptr + 4 * i, i + 1 == quads ? pad : 0, out->data + 3 * i)) {
            secret_clear(out);
            return false;
        }
    }
    return true;
}

void base64_encode(struct slice bytes, struct str *out)
{
    const unsigned char *in = (const unsigned char *)bytes.ptr;
    size_t room = out->cap - out->len - 1;
    char *at = out->data + out->len;

    /* All or nothing, as str_add does; and written in place, so that no copy stays behind. */
    if (out->overflow || (bytes.len + 2) / 3 > room / 4) {
        out->overflow = true;
        return;
    }
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned bits = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                        (left > 2 ? in[i + 2] : 0u);
        *at++ = alphabet[bits >> 18];
        *at++ = alphabet[bits >> 12 & 63];
        *at++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    *at = '\0';
    out->len = (size_t)(at - out->data);
}
