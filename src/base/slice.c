/*
 * Comparing, cutting and reading borrowed bytes. Owns nothing, allocates nothing, never writes.
 */
#include "waypost/base/slice.h"

size_t slice_find(struct slice s, char c)
{
    const char *hit = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq_nocase(slice_take(s, prefix.len), prefix);
}

struct slice slice_cut(struct slice *s, char c)
{
    size_t at = slice_find(*s, c);
    struct slice head = slice_take(*s, at);
    *s = slice_skip(*s, at == s->len ? at : at + 1);
    return head;
}

size_t slice_utf8_len(struct slice s)
{
    unsigned char lead = (unsigned char)s.ptr[0];
    unsigned char second = s.len > 1 ? (unsigned char)s.ptr[1] : 0;
    size_t n = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    if (n == 0 || lead > 0xF4 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.ptr[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
        return 0;
    return n;
}

bool slice_is_control(struct slice one)
{
    unsigned char first = (unsigned char)one.ptr[0];

    if (one.len == 1)
        return first < 0x20 || first == 0x7F;
    return one.len == 2 && first == 0xC2 && (unsigned char)one.ptr[1] < 0xA0;
}

bool slice_number(struct slice s, unsigned long max, unsigned long *out)
{
    unsigned long value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        unsigned long digit = (unsigned long)(s.ptr[i] - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool slice_is_text(struct slice s)
{
    while (s.len > 0) {
        size_t n = slice_utf8_len(s);
        if (n == 0 || slice_is_control(slice_take(s, n)))
            return false;
        s = slice_skip(s, n);
    }
    return true;
}
