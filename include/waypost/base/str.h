/*
 * A text builder on storage the caller owns. Overflow is sticky: once something did not fit, the
 * text stays as it was before that piece and `overflow` is set, so a caller checks once, at the
 * end. The text is always NUL-terminated.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/slice.h"

struct str {
    char *data; /* borrowed */
    size_t cap; /* bytes at data, the NUL included */
    size_t len;
    bool overflow;
};

/* A builder over a char array. */
#define STR_ON(array) str_on((array), sizeof(array))
/* A builder without storage: takes nothing, and at no cost. */
#define STR_NONE ((struct str){.overflow = true})

struct str str_on(char *storage, size_t cap);
void str_add(struct str *s, struct slice piece);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *format, ...) PRINTF(2, 3);

static inline struct slice str_slice(const struct str *s)
{
    return slice_of(s->data, s->len);
}
