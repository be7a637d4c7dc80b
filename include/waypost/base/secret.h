/*
 * Credential bytes: owned, bounded by LIMIT_SECRET, wiped when cleared. There is no way to print a
 * secret; secret_reveal is the only door and easy to search for. Binary-safe, not NUL-terminated.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/slice.h"

struct secret {
    char *data; /* owned; NULL while empty */
    size_t len;
};

#define SECRET_EMPTY ((struct secret){NULL, 0})

/* Replaces the content. False when the bytes exceed LIMIT_SECRET or memory is short; the old
 * content is wiped either way. The bytes may be the secret's own. */
MUST_USE
bool secret_set(struct secret *s, struct slice bytes);
/* Replaces the content by `len` zero bytes for the caller to fill in at s->data, so that building a
 * secret leaves no copy elsewhere. False, and empty, on the same conditions. */
MUST_USE
bool secret_make(struct secret *s, size_t len);
/* Wipes and frees; harmless on an empty one. */
void secret_clear(struct secret *s);
/* Borrowed bytes, valid until the next set or clear. Never hand them to a log. */
struct slice secret_reveal(const struct secret *s);
/* Moves the content; `from` is empty afterwards, what `to` held is wiped. */
void secret_move(struct secret *to, struct secret *from);
