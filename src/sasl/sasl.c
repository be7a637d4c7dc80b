/*
 * The server side of SASL: the table of mechanisms, and those that need no file of their own, PLAIN
 * (RFC 4616), LOGIN (draft-murchison-sasl-login) and EXTERNAL (RFC 4422 appendix A).
 * Owns no bytes: what a client says goes into the caller's credentials or nowhere. Never does
 * base64, never sees a line, never judges whether an authorization identity is permitted.
 */
#include "sasl/mechanism.h"

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
    return name.len > 0 && name.len <= LIMIT_USER && slice_is_text(name);
}

/* Passwords may be in any encoding, but a line end or a NUL could not be passed on to a backend
 * without meaning something else there. */
static bool password_legal(struct slice password)
{
    return password.len > 0 && password.len <= LIMIT_SECRET &&
           slice_find(password, '\0') == password.len &&
           slice_find(password, '\r') == password.len && slice_find(password, '\n') == password.len;
}

enum result sasl_finish(struct sasl *s, bool good, enum credential_kind kind, struct credentials *c)
{
    s->step = 0;
    if (!good) {
        credentials_clear(c);
        return BAD;
    }
    c->kind = kind;
    c->mechanism = s->row->mechanism;
    return DONE;
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
    return sasl_finish(s, good, CREDENTIAL_PASSWORD, c);
}

/* Of every mechanism in which the client speaks first. */
static struct slice nothing(void)
{
    return SLICE("");
}

/* First the user name, as answer to our challenge or as initial response; then the password. */
static enum result login_respond(struct sasl *s, struct slice response, struct credentials *c,
                                 struct slice *challenge)
{
    if (s->step == 1) {
        bool good = password_legal(response) && secret_set(&c->password, response);
        return sasl_finish(s, good, CREDENTIAL_PASSWORD, c);
    }
    credentials_clear(c);
    if (!credentials_user_legal(response) || !secret_set(&c->authcid, response))
        return sasl_finish(s, false, CREDENTIAL_PASSWORD, c);
    s->step = 1;
    *challenge = SLICE("Password:");
    return CONTINUE;
}

static struct slice login_first(void)
{
    return SLICE("Username:");
}

/* The identity to act as, or nothing; who asks is in the certificate. */
static enum result external_respond(struct sasl *s, struct slice response, struct credentials *c,
                                    struct slice *challenge)
{
    bool good;

    UNUSED(challenge);
    credentials_clear(c);
    good = response.len == 0 ||
           (credentials_user_legal(response) && secret_set(&c->authzid, response));
    return sasl_finish(s, good, CREDENTIAL_CERTIFICATE, c);
}

/* name, mechanism, client_first, relayed */
static const struct sasl_row rows[] = {
    {"PLAIN", CONF_MECH_PLAIN, true, false, plain_respond, nothing},
    {"LOGIN", CONF_MECH_LOGIN, true, false, login_respond, login_first},
    {"XOAUTH2", CONF_MECH_XOAUTH2, true, false, xoauth2_respond, nothing},
    {"OAUTHBEARER", CONF_MECH_OAUTHBEARER, true, false, oauthbearer_respond, nothing},
    {"SCRAM-SHA-1", CONF_MECH_SCRAM_SHA_1, true, true, scram_respond, nothing},
    {"SCRAM-SHA-256", CONF_MECH_SCRAM_SHA_256, true, true, scram_respond, nothing},
    {"EXTERNAL", CONF_MECH_EXTERNAL, true, false, external_respond, nothing},
};
static_assert(COUNT_OF(rows) == CONF_MECH_COUNT, "one row per mechanism");

const struct sasl_row *sasl_find(struct slice name, const bool enabled[CONF_MECH_COUNT])
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (enabled[rows[i].mechanism] && slice_eq_nocase(name, slice_str(rows[i].name)))
            return &rows[i];
    }
    return NULL;
}

const char *sasl_name(enum conf_mechanism mechanism)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].mechanism == mechanism)
            return rows[i].name;
    }
    UNREACHABLE();
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
