/*
 * A capability set (RFC 9051 section 6.1.1): the words as the server said them, in order, without
 * duplicates, plus questions about them. Bounded by LIMIT_CAPS; owned memory, freed by caps_clear.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

struct caps {
    char *words; /* owned; separated by single spaces; NULL while unknown */
    size_t len;
};

#define CAPS_UNKNOWN ((struct caps){NULL, 0})

/* Replaces the set. False when over LIMIT_CAPS or memory is short; then it is unknown. */
MUST_USE
bool caps_set(struct caps *c, struct slice words);
void caps_clear(struct caps *c);
bool caps_known(const struct caps *c);
/* Case-insensitive whole-word match: caps_has(c, SLICE("AUTH=PLAIN")). */
bool caps_has(const struct caps *c, struct slice word);
struct slice caps_words(const struct caps *c);

/* What a logged-in client may see: `words` minus what the proxy cannot carry (STARTTLS, AUTH=*,
 * SASL-IR, LOGINDISABLED, LOGIN-REFERRALS, UNAUTHENTICATE) and minus `hide` (an array of names,
 * "AUTH=*" style prefixes allowed with a final `*`). Appends to `out`, separated by spaces. */
void caps_filter(struct slice words, char *const *hide, size_t hide_count, struct str *out);
/* Rewrites one whole server line that carries capabilities, `* CAPABILITY ...` or
 * `x OK [CAPABILITY ...] text`, with caps_filter applied; other lines are appended unchanged. */
void caps_filter_line(struct slice line, char *const *hide, size_t hide_count, struct str *out);
