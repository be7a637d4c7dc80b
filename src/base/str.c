/*
 * Text builder with sticky overflow. Borrows its storage, never allocates, never writes past cap.
 */
#include "waypost/base/str.h"

#include <stdarg.h>
#include <stdio.h>

struct str str_on(char *storage, size_t cap)
{
    REQUIRE(cap > 0);
    storage[0] = '\0';
    return (struct str){.data = storage, .cap = cap};
}

void str_add(struct str *s, struct slice piece)
{
    if (s->overflow || piece.len >= s->cap - s->len) {
        s->overflow = true;
        return;
    }
    if (piece.len > 0)
        memcpy(s->data + s->len, piece.ptr, piece.len);
    s->len += piece.len;
    s->data[s->len] = '\0';
}

void str_addc(struct str *s, char c)
{
    str_add(s, slice_of(&c, 1));
}

void str_addf(struct str *s, const char *format, ...)
{
    va_list args;

    if (s->overflow)
        return;
    va_start(args, format);
    int n = vsnprintf(s->data + s->len, s->cap - s->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= s->cap - s->len) {
        s->data[s->len] = '\0';
        s->overflow = true;
        return;
    }
    s->len += (size_t)n;
}
