/*
 * JSON pointers (RFC 6901), built a reference token at a time.
 */
#pragma once

#include "waypost/base/str.h"

/* Appends one byte of a token, escaped: "~" as "~0", "/" as "~1" (RFC 6901 section 3). */
void pointer_byte(struct str *out, char c);
/* Appends "/" and a token. */
void pointer_token(struct str *out, struct slice token);
void pointer_index(struct str *out, size_t index);
/* Cuts the last token off; false when there is none left. */
bool pointer_up(struct slice *pointer);
