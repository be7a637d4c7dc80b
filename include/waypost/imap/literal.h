/*
 * The header of a literal, `{n}` or `{n+}`, at the very end of a line (RFC 9051 sections 4.3 and 9,
 * RFC 7888). `~{n}` of a literal8 frames the same. n is a number64: any count of digits, value up
 * to 2^63 - 1; what is larger or otherwise shaped is ordinary text. One recogniser for commands,
 * replies and the relay, so that they can never disagree about where a literal begins.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/slice.h"

struct literal_header {
    unsigned state; /* private to literal.c */
    bool waits;     /* synchronising: the sender waits for `+` */
    bool bare_lf;   /* the line ended in LF without CR */
    uint64_t size;  /* bytes of the literal */
};

#define LITERAL_NONE ((struct literal_header){0})

/* Takes the next bytes of a line, in pieces of any size; an LF may only be the last of them and
 * ends the line. The next piece begins a new line. */
void literal_feed(struct literal_header *h, struct slice bytes);
/* True when the LF fed last ended a line with a literal header; the members then say which. */
bool literal_announced(const struct literal_header *h);
