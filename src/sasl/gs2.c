/*
 * The GS2 header and the names in it (RFC 5801 section 4). Owns nothing, keeps nothing.
 */
#include "sasl/mechanism.h"

#include "waypost/base/limits.h"

/* Cuts what stands before the next comma; there must be one. */
static bool cut_field(struct slice *message, struct slice *field)
{
    if (slice_find(*message, ',') == message->len)
        return false;
    *field = slice_cut(message, ',');
    return true;
}

bool gs2_cut(struct slice *message, struct slice *authzid)
{
    struct slice rest = *message, flag, identity;

    if (!cut_field(&rest, &flag) || !cut_field(&rest, &identity))
        return false;
    if (!slice_eq(flag, SLICE("n")) && !slice_eq(flag, SLICE("y")))
        return false;
    if (identity.len > 0 && (identity.len < 3 || !slice_starts(identity, SLICE("a="))))
        return false;
    *authzid = slice_skip(identity, 2);
    *message = rest;
    return true;
}

bool gs2_unescape(struct slice saslname, struct secret *out)
{
    char storage[LIMIT_USER + 1];
    struct str name = STR_ON(storage);

    while (saslname.len > 0) {
        bool comma = slice_starts(saslname, SLICE("=2C"));
        bool equals = slice_starts(saslname, SLICE("=3D"));
        char c = comma ? ',' : *saslname.ptr;
        if (!comma && !equals && (c == '=' || c == ','))
            return false;
        str_addc(&name, c);
        saslname = slice_skip(saslname, comma || equals ? 3 : 1);
    }
    return !name.overflow && credentials_user_legal(str_slice(&name)) &&
           secret_set(out, str_slice(&name));
}

void gs2_escape(struct slice name, struct str *out)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        str_add(out, c == ',' ? SLICE("=2C") : c == '=' ? SLICE("=3D") : slice_of(&c, 1));
    }
}
