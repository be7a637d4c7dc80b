/*
 * The commands of relayed sessions (verb.def) that are told apart when they are counted.
 */
#pragma once

#include "waypost/base/slice.h"

enum verb {
#define VERB(id, name) VERB_##id,
#include "waypost/base/verb.def"
#undef VERB
    VERB_COUNT
};

/* The longest word of a name: UNAUTHENTICATE. */
#define VERB_WORD 14u

extern const struct slice verb_name[VERB_COUNT];

/* The verb of that name, in any case; two words are one space apart. VERB_OTHER: none. */
enum verb verb_of(struct slice name);
