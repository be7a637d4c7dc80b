/*
 * Base64, the strict way: one text for one value, so that nobody behind us reads it differently.
 * Owns nothing; leaves no copy of the bytes anywhere but in `out`. RFC 4648 sections 3 and 4.
 */
#include "waypost/base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NO_DIGIT 64u

/* `last` holds the two digits in which the alphabets differ. */
static unsigned digit_value(char c, const char last[2])
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == last[0] ? 62 : c == last[1] ? 63 : NO_DIGIT;
}

/* Two to four digits become one byte less. False also when the bits left over are not zero (RFC
 * 4648 section 3.5). */
static bool decode_group(struct slice digits, const char last[2], char *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned value = i < digits.len ? digit_value(digits.ptr[i], last) : 0;
        if (value == NO_DIGIT)
            return false;
        bits = bits << 6 | value;
    }
    if ((bits & ((1u << 8 * (4 - digits.len)) - 1)) != 0)
        return false;
    for (size_t i = 0; i + 1 < digits.len; i++)
        out[i] = (char)(unsigned char)(bits >> (16 - 8 * i));
    return true;
}

/* Digits without padding. */
static bool decode(struct slice digits, const char last[2], struct secret *out)
{
    secret_clear(out);
    if (digits.len % 4 == 1 || !secret_make(out, digits.len / 4 * 3 + digits.len % 4 * 3 / 4))
        return false;
    for (size_t group = 0; 4 * group < digits.len; group++) {
        struct slice four = slice_take(slice_skip(digits, 4 * group), 4);
        if (!decode_group(four, last, out->data + 3 * group)) {
            secret_clear(out);
            return false;
        }
    }
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
    if (text.len % 4 != 0) {
        secret_clear(out);
        return false;
    }
    return decode(slice_take(text, text.len - padding(text)), "+/", out);
}

bool base64url_decode(struct slice text, struct secret *out)
{
    return decode(text, "-_", out);
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
