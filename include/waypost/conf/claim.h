/*
 * One member out of a JSON object that a stranger wrote, such as the claims of a token (RFC 7519
 * section 4).
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/secret.h"
#include "waypost/base/slice.h"

/* The string member `name` of the object. False, and `out` empty, when the text is not a JSON
 * object, is nested deeper than LIMIT_NESTING, repeats a key anywhere (readers differ in which
 * one counts), or has no such member. */
MUST_USE
bool claim_read(struct slice json, const char *name, struct secret *out);
