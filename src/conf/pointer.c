/*
 * JSON pointers as text (RFC 6901). Owns nothing; appends to the caller's builder.
 */
#include "conf/pointer.h"

void pointer_byte(struct str *out, char c)
{
    if (c == '~')
        str_add(out, SLICE("~0"));
    else if (c == '/')
        str_add(out, SLICE("~1"));
    else
        str_addc(out, c);
}

void pointer_token(struct str *out, struct slice token)
{
    str_addc(out, '/');
    for (size_t i = 0; i < token.len; i++)
        pointer_byte(out, token.ptr[i]);
}

void pointer_index(struct str *out, size_t index)
{
    str_addf(out, "/%zu", index);
}

bool pointer_up(struct slice *pointer)
{
    if (pointer->len == 0)
        return false;
    do
        pointer->len--;
    while (pointer->len > 0 && pointer->ptr[pointer->len] != '/');
    return true;
}
