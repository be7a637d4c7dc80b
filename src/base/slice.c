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

bool slice_number(struct slice s, unsigned long max, unsigned long *out)
{
    unsigned long value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        unsigned long digit = (unsigned long)(s.ptr[i] - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
