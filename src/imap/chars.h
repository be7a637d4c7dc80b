/*
 * Character classes of RFC 9051 section 9. Bytes over 127 and controls belong to none of them.
 */
#pragma once

#include <stdbool.h>

#include "waypost/base/slice.h"

/* ASTRING-CHAR: ATOM-CHAR or `]`. */
static inline bool imap_astring_char(char c)
{
    return c > ' ' && c < 0x7f && strchr("(){%*\"\\", c) == NULL;
}

/* Length of the run of ASTRING-CHARs at the front. */
static inline size_t imap_astring_run(struct slice s)
{
    size_t n = 0;

    while (n < s.len && imap_astring_char(s.ptr[n]))
        n++;
    return n;
}

static inline bool imap_tag_char(char c)
{
    return c != '+' && imap_astring_char(c);
}

/* Length of what stands before the first space or line end. */
static inline size_t imap_word_run(struct slice s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] != ' ' && s.ptr[n] != '\r' && s.ptr[n] != '\n')
        n++;
    return n;
}
