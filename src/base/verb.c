/*
 * The table of verb.h, made from verb.def. Owns nothing. Lengths rule out most rows before any
 * name is compared.
 */
#include "waypost/base/verb.h"

#include "waypost/base/check.h"

const struct slice verb_name[VERB_COUNT] = {
#define VERB(id, name) [VERB_##id] = {name, sizeof(name) - 1},
#include "waypost/base/verb.def"
#undef VERB
};

enum verb verb_of(struct slice name)
{
    for (size_t i = VERB_OTHER + 1; i < COUNT_OF(verb_name); i++) {
        if (verb_name[i].len == name.len && slice_eq_nocase(name, verb_name[i]))
            return (enum verb)i;
    }
    return VERB_OTHER;
}
