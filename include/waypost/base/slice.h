/*
 * A slice: borrowed bytes with a length. It owns nothing, is never NUL-terminated by promise and
 * dies at the next drop from the buffer it points into. Comparison is by bytes, ASCII case only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* For printf("%.*s"): only where the text is known to be printable. */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

static inline struct slice slice_str(const char *text)
{
    return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline struct slice slice_take(struct slice s, size_t n)
{
    return slice_of(s.ptr, n < s.len ? n : s.len);
}

static inline struct slice slice_skip(struct slice s, size_t n)
{
    n = n < s.len ? n : s.len;
    return slice_of(n == 0 ? s.ptr : s.ptr + n, s.len - n);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq(slice_take(s, prefix.len), prefix);
}

/* ASCII only, whatever the locale says. */
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Position of the first `c`, or s.len. */
size_t slice_find(struct slice s, char c);
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_starts_nocase(struct slice s, struct slice prefix);
/* Cuts the part before the first `c` off `*s` and returns it; `*s` then begins behind that `c`.
 * Without a `c` the whole of `*s` is returned and `*s` is empty. */
struct slice slice_cut(struct slice *s, char c);
/* Length of the UTF-8 sequence at the start of s, which is not empty; 0 when it is ill-formed
 * (RFC 3629 section 4: shortest form, no surrogates, nothing above U+10FFFF). */
size_t slice_utf8_len(struct slice s);
/* Whether `one`, a single UTF-8 sequence, is a control character: C0, DEL or C1. */
bool slice_is_control(struct slice one);
/* Whole UTF-8 sequences without control characters: what may be shown and compared as text. */
bool slice_is_text(struct slice s);
/* Decimal digits only, no sign; false on anything else, on overflow of `max`, or when empty. */
bool slice_number(struct slice s, unsigned long max, unsigned long *out);
