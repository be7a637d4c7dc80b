/*
 * Writes JSON to standard output, indented, a member at a time.
 *
 *     struct json_out out = {0};
 *     json_begin(&out, NULL, '{');
 *     json_text(&out, "user", user);
 *     json_end(&out, '}');
 *
 * The key is NULL in an array and for the document.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/slice.h"

struct json_out {
    unsigned depth;
    bool follows; /* something precedes at this depth */
};

void json_begin(struct json_out *out, const char *key, char bracket);
void json_end(struct json_out *out, char bracket);
/* Bytes that are not UTF-8 become U+FFFD. */
void json_text(struct json_out *out, const char *key, struct slice text);
void json_num(struct json_out *out, const char *key, uint64_t n);
void json_bool(struct json_out *out, const char *key, bool truth);
