/*
 * SCRAM (RFC 5802, RFC 7677) as far as a proxy needs it: the client's first message names the user,
 * everything behind it is between client and backend, which alone know the password. Owns no bytes;
 * never computes a proof.
 */
#include "sasl/mechanism.h"

/* Letters that RFC 5802 section 5.1 has given a meaning; an extension may not take them, or two
 * readers could find two names or nonces in one message. `m`, a mandatory extension, is among them
 * and must fail the exchange. */
static const char defined[] = "amnrcsivpe";

static bool is_attribute(struct slice text, char letter)
{
    return text.len > 2 && text.ptr[0] == letter && text.ptr[1] == '=';
}

static bool nonce_legal(struct slice nonce)
{
    for (size_t i = 0; i < nonce.len; i++) {
        if (nonce.ptr[i] <= ' ' || nonce.ptr[i] > '~')
            return false;
    }
    return true;
}

static bool extension_legal(struct slice text)
{
    char lower = text.len == 0 ? '\0' : ascii_lower(*text.ptr);

    return lower >= 'a' && lower <= 'z' && is_attribute(text, *text.ptr) &&
           memchr(defined, *text.ptr, sizeof(defined) - 1) == NULL &&
           slice_find(text, '\0') == text.len;
}

/* "n=" name ",r=" nonce *( "," extension ); `name` is still escaped. */
static bool read_bare(struct slice rest, struct slice *name)
{
    struct slice user = slice_cut(&rest, ',');
    struct slice nonce = slice_cut(&rest, ',');

    if (!is_attribute(user, 'n') || !is_attribute(nonce, 'r') || !nonce_legal(nonce))
        return false;
    while (rest.len > 0) {
        if (!extension_legal(slice_cut(&rest, ',')))
            return false;
    }
    *name = slice_skip(user, 2);
    return true;
}

enum result scram_respond(struct sasl *s, struct slice response, struct credentials *c,
                          struct slice *challenge)
{
    struct slice rest = response, authzid, name;
    bool good;

    UNUSED(challenge);
    credentials_clear(c);
    good = response.len > 0 && response.ptr[response.len - 1] != ',' && gs2_cut(&rest, &authzid) &&
           read_bare(rest, &name) && gs2_unescape(name, &c->authcid) &&
           (authzid.len == 0 || gs2_unescape(authzid, &c->authzid)) &&
           secret_set(&c->message, response);
    /* An identity that only repeats the user name asks for nothing. */
    if (slice_eq(secret_reveal(&c->authzid), secret_reveal(&c->authcid)))
        secret_clear(&c->authzid);
    return sasl_finish(s, good, CREDENTIAL_RELAYED, c);
}
