/*
 * Base64 as SASL in IMAP uses it (RFC 4648 section 4): padded, canonical, no white space.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/secret.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

/* Strict: refuses any other character, wrong padding, non-zero trailing bits and results over
 * LIMIT_SECRET. An empty text is an empty value. On false `out` is empty. */
MUST_USE
bool base64_decode(struct slice text, struct secret *out);
/* The same in the alphabet for URLs and without padding (RFC 7515 section 2). */
MUST_USE
bool base64url_decode(struct slice text, struct secret *out);
void base64_encode(struct slice bytes, struct str *out);
