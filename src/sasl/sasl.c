/*
 * The server side of SASL: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login), one row each.
 * Owns no bytes: what a client says goes into the caller's credentials or nowhere. Never does
 * base64, never sees a line, never judges whether an authorization identity is permitted.
 */
#include "waypost/sasl/sasl.h"

#include "waypost/base/limits.h"

void credentials_clear(struct credentials *c)
{
    secret_clear(&c->authcid);
    secret_clear(&c->authzid);
    secret_clear(&c->password);
    secret_clear(&c->message);
    c->kind = CREDENTIAL_PASSWORD;
    c->mechanism = CONF_MECH_PLAIN;
}

bool credentials_user_legal(struct slice name)
{
    if (name.len == 0 || name.len > LIMIT_USER)
        return false;
    while (name.len > 0) {
        size_t n = slice_utf8_len(name);
        if (n == 0 || slice_is_control(slice_take(name, n)))
            return false;
        name = slice_skip(name, n);
    }
    return true;
}

/* Passwords may be in any encoding, but a line end or a NUL could not be passed on to a backend
 * without meaning something else there. */
static bool password_legal(struct slice password)
{
    return password.len > 0 && password.len <= LIMIT_SECRET &&
           slice_find(password, '\0') == password.len &&
           slice_find(password, '\r') == password.len && slice_find(password, '\n') == password.len;
}

/* Every exchange ends here: afterwards it may begin anew, and a bad one has left nothing. */
static enum result finish(struct sasl *s, bool good, struct credentials *c)
{
    s->step = 0;
    if (good)
        return DONE;
    credentials_clear(c);
    return BAD;
}

/* [authzid] NUL authcid NUL passwd: RFC 4616 section 2. */
static enum result plain_respond(struct sasl *s, struct slice response, struct credentials *c,
                                 struct slice *challenge)
{
    struct slice password = response;
    struct slice authzid = slice_cut(&password, '\0');
    struct slice authcid = slice_cut(&password, '\0');
    bool good;

    UNUSED(challenge);
    credentials_clear(c);
    /* An identity that only repeats the user name asks for nothing. */
    if (slice_eq(authzid, authcid))
        authzid.len = 0;
    good = (authzid.len == 0 || credentials_user_legal(authzid)) &&
           credentials_user_legal(authcid) && password_legal(password) &&
           secret_set(&c->authzid, authzid) && secret_set(&c->authcid, authcid) &&
           secret_set(&c->password, password);
    return finish(s, good, c);
}

static struct slice plain_first(void)
{
    return SLICE("");
}

/* First the user name, as answer to our challenge or as initial response; then the password. */
static enum result login_respond(struct sasl *s, struct slice response, struct credentials *c,
                                 struct slice *challenge)
{
    if (s->step == 1) {
        bool good = password_legal(response) && secret_set(&c->password, response);
        return finish(s, good, c);
    }
    credentials_clear(c);
    if (!credentials_user_legal(response) || !secret_set(&c->authcid, response))
        return finish(s, false, c);
    s->step = 1;
    *challenge = SLICE("Password:");
    return CONTINUE;
}

static struct slice login_first(void)
{
    return SLICE("Username:");
}

static const struct sasl_row rows[] = {
    {"PLAIN", CONF_MECH_PLAIN, true, false, plain_respond, plain_first},
    {"LOGIN", CONF_MECH_LOGIN, true, false, login_respond, login_first},
};
static_assert(COUNT_OF(rows) <= CONF_MECH_COUNT, "no more rows than mechanisms");

const struct sasl_row *sasl_find(struct slice name, const bool enabled[CONF_MECH_COUNT])
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (enabled[rows[i].mechanism] && slice_eq_nocase(name, slice_str(rows[i].name)))
            return &rows[i];
    }
    return NULL;
}

void sasl_advertise(const bool enabled[CONF_MECH_COUNT], struct str *out)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (enabled[rows[i].mechanism])
            str_addf(out, " AUTH=%s", rows[i].name);
    }
}

bool sasl_plain_message(struct slice authzid, struct slice authcid, struct slice password,
                        struct str *out)
{
    if ((authzid.len > 0 && !credentials_user_legal(authzid)) || !credentials_user_legal(authcid) ||
        !password_legal(password))
        return false;
    str_add(out, authzid);
    str_addc(out, '\0');
    str_add(out, authcid);
    str_addc(out, '\0');
    str_add(out, password);
    return !out->overflow;
}
