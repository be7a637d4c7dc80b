/*
 * Finds the user that a bearer token names: the payload of a JWT in compact form (RFC 7515 section
 * 7.1). Owns the decoded payload while it looks; never verifies, never keeps a token.
 */
#include "waypost/sasl/sasl.h"

#include "waypost/base/base64.h"
#include "waypost/conf/claim.h"

bool sasl_token_claim(struct slice token, const char *claim, struct secret *out)
{
    struct secret json = SECRET_EMPTY;
    struct slice signature = token;
    struct slice header = slice_cut(&signature, '.');
    struct slice payload = slice_cut(&signature, '.');
    bool good;

    secret_clear(out);
    /* Five parts would be an encrypted token, which only its audience can read. */
    if (header.len == 0 || signature.len == 0 || slice_find(signature, '.') < signature.len)
        return false;
    good = base64url_decode(payload, &json) && claim_read(secret_reveal(&json), claim, out);
    secret_clear(&json);
    if (good && credentials_user_legal(secret_reveal(out)))
        return true;
    secret_clear(out);
    return false;
}
