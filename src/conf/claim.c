/*
 * Reads one member of untrusted JSON (RFC 8259). Owns the tree while it looks. The tree is not
 * wiped: claims identify somebody, but only together with their signature do they admit him.
 */
#include "waypost/conf/claim.h"

#include <jansson.h>

#include "waypost/base/limits.h"

/* The parser recurses, so depth is bounded before it sees the text. */
static bool is_shallow(struct slice json)
{
    unsigned depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            i++;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && depth > 0 && (c == '}' || c == ']'))
            depth--;
        if (depth > LIMIT_NESTING)
            return false;
    }
    return true;
}

bool claim_read(struct slice json, const char *name, struct secret *out)
{
    json_t *object = NULL, *member;
    bool good;

    secret_clear(out);
    if (is_shallow(json))
        object = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
    member = json_object_get(object, name);
    good = json_is_string(member) &&
           secret_set(out, slice_of(json_string_value(member), json_string_length(member)));
    json_decref(object);
    return good;
}
