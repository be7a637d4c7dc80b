/*
 * "Did you mean": finds the known word nearest to a mistyped one. Offer every candidate, then ask.
 */
#pragma once

#include "waypost/base/slice.h"
#include "waypost/base/str.h"

struct suggest {
    struct slice word; /* as typed, borrowed */
    const char *best;  /* borrowed from the offers; NULL: nothing is near enough */
    size_t distance;
};

struct suggest suggest_for(struct slice word);
void suggest_offer(struct suggest *s, const char *candidate);
/* Appends `; did you mean "name"?` if there is something to suggest. */
void suggest_add(const struct suggest *s, struct str *out);
