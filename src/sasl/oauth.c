/*
 * Bearer tokens: OAUTHBEARER (RFC 7628) and its forerunner XOAUTH2. Owns no bytes: user, token and
 * the message itself go into the caller's credentials. Never judges a token; what cannot be read in
 * one way only is refused, because a backend will read the same message after us.
 */
#include "sasl/mechanism.h"

#define KVSEP '\x01' /* RFC 7628 section 3.1 */

/* RFC 6750 section 2.1 has fewer characters; what matters is that nothing can end a field. */
static bool token_legal(struct slice token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
            return false;
    }
    return token.len > 0;
}

/* "Bearer" 1*SP token; the scheme in any case (RFC 9110 section 11.1). */
static bool read_bearer(struct slice value, struct slice *token)
{
    const struct slice scheme = SLICE("Bearer ");

    if (!slice_starts_nocase(value, scheme))
        return false;
    value = slice_skip(value, scheme.len);
    while (value.len > 0 && *value.ptr == ' ')
        value = slice_skip(value, 1);
    if (!token_legal(value))
        return false;
    *token = value;
    return true;
}

static enum result finish(struct sasl *s, bool good, struct slice token, struct slice message,
                          struct credentials *c)
{
    good = good && secret_set(&c->password, token) && secret_set(&c->message, message);
    return sasl_finish(s, good, CREDENTIAL_TOKEN, c);
}

/* "user=" user ^A "auth=Bearer " token ^A ^A */
enum result xoauth2_respond(struct sasl *s, struct slice response, struct credentials *c,
                            struct slice *challenge)
{
    struct slice rest = response, token = {NULL, 0};
    struct slice user = slice_cut(&rest, KVSEP);
    struct slice auth = slice_cut(&rest, KVSEP);
    bool good;

    UNUSED(challenge);
    credentials_clear(c);
    good = slice_eq(rest, SLICE("\x01")) && slice_starts(user, SLICE("user=")) &&
           slice_starts(auth, SLICE("auth=")) && read_bearer(slice_skip(auth, 5), &token);
    user = slice_skip(user, 5);
    good = good && credentials_user_legal(user) && secret_set(&c->authcid, user);
    return finish(s, good, token, response, c);
}

static bool key_legal(struct slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        char lower = ascii_lower(key.ptr[i]);
        if (lower < 'a' || lower > 'z')
            return false;
    }
    return key.len > 0;
}

static bool value_legal(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if ((c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return true;
}

/* One key=value. The key "auth" must come once; "user" means nothing here, but a reader that takes
 * it for a name would see another user than we do. Other keys are the backend's business. */
static bool read_pair(struct slice pair, struct slice *token)
{
    struct slice value = pair;
    struct slice key = slice_cut(&value, '=');

    if (key.len == pair.len || !key_legal(key) || !value_legal(value))
        return false;
    if (slice_eq_nocase(key, SLICE("auth")))
        return token->len == 0 && read_bearer(value, token);
    return !slice_eq_nocase(key, SLICE("user"));
}

/* *( key "=" value ^A ) ^A, with a token among them. */
static bool read_pairs(struct slice rest, struct slice *token)
{
    while (rest.len > 1) {
        if (slice_find(rest, KVSEP) == rest.len || !read_pair(slice_cut(&rest, KVSEP), token))
            return false;
    }
    return slice_eq(rest, SLICE("\x01")) && token->len > 0;
}

/* gs2-header ^A *( key "=" value ^A ) ^A; the lone ^A that answers an error does not begin an
 * exchange. */
enum result oauthbearer_respond(struct sasl *s, struct slice response, struct credentials *c,
                                struct slice *challenge)
{
    struct slice rest = response, name, token = {NULL, 0};
    bool good;

    UNUSED(challenge);
    credentials_clear(c);
    good = gs2_cut(&rest, &name) && slice_starts(rest, SLICE("\x01")) &&
           read_pairs(slice_skip(rest, 1), &token) &&
           (name.len == 0 || gs2_unescape(name, &c->authcid));
    return finish(s, good, token, response, c);
}

bool sasl_oauth_message(enum conf_mechanism mechanism, struct slice user, struct slice token,
                        struct str *out)
{
    bool gs2 = mechanism == CONF_MECH_OAUTHBEARER;

    REQUIRE(gs2 || mechanism == CONF_MECH_XOAUTH2);
    if (!token_legal(token) || !(credentials_user_legal(user) || (gs2 && user.len == 0)))
        return false;
    if (gs2) {
        str_add(out, user.len == 0 ? SLICE("n,") : SLICE("n,a="));
        gs2_escape(user, out);
        str_addc(out, ',');
    } else {
        str_add(out, SLICE("user="));
        str_add(out, user);
    }
    str_add(out, SLICE("\x01"
                       "auth=Bearer "));
    str_add(out, token);
    str_add(out, SLICE("\x01\x01"));
    return !out->overflow;
}
