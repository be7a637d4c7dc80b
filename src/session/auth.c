/*
 * Credentials from the client, under TLS: LOGIN, AUTHENTICATE and the SASL exchange (RFC 9051
 * section 6.2, RFC 4422, RFC 4959). Fills s->pre->credentials and names the one identity they stand
 * for; what comes of it is decided elsewhere. Never logs, echoes or forwards a secret.
 */
#include "session/phase.h"

#include <string.h>

#include "waypost/base/base64.h"
#include "waypost/conf/username.h"
#include "waypost/imap/command.h"

static struct slice tag_of(const struct session *s)
{
    return slice_of(s->pre->tag, s->pre->tag_len);
}

static void keep_tag(struct session *s, struct slice tag)
{
    REQUIRE(tag.len <= sizeof(s->pre->tag));
    memcpy(s->pre->tag, tag.ptr, tag.len);
    s->pre->tag_len = tag.len;
}

/* EXTERNAL: the verified certificate names the user (RFC 4422 appendix A). */
static bool name_by_certificate(struct session *s)
{
    const struct conf_auth *auth = &s->conf->auth;
    const char *name = NULL;

    if (auth->external_email)
        name = s->client.cert_email;
    if (name == NULL && auth->external_cn)
        name = s->client.cert_name;
    return name != NULL && credentials_user_legal(slice_str(name)) &&
           secret_set(&s->pre->credentials.authcid, slice_str(name));
}

/* A token whose message names nobody (RFC 7628 section 3.1): the payload may, for routing only. */
static bool name_by_token(struct session *s)
{
    const char *claim = s->conf->auth.oauth_claim;

    s->pre->claimed = true;
    return claim != NULL && sasl_token_claim(secret_reveal(&s->pre->credentials.password), claim,
                                             &s->pre->credentials.authcid);
}

static bool name_user(struct session *s)
{
    s->pre->claimed = false;
    if (s->pre->credentials.authcid.len > 0)
        return true;
    return s->pre->credentials.kind == CREDENTIAL_CERTIFICATE ? name_by_certificate(s)
                                                              : name_by_token(s);
}

/* A certificate speaks for its own name only: behind it stands a master login that no backend
 * would question. The client may repeat the name, in any of its spellings. */
static bool repeats_own_name(struct session *s, struct slice authzid, struct slice authcid)
{
    const struct conf_normalize *rules = &s->conf->routes->normalize;
    char asked_storage[LIMIT_USER + 1], own_storage[LIMIT_USER + 1];
    struct str asked = STR_ON(asked_storage), own = STR_ON(own_storage);

    return username_normalize(rules, authzid, &asked) && username_normalize(rules, authcid, &own) &&
           slice_eq(str_slice(&asked), str_slice(&own));
}

static bool may_act_as(struct session *s, struct slice authzid, struct slice authcid)
{
    if (authzid.len == 0 || slice_eq(authzid, authcid))
        return true;
    if (s->pre->credentials.kind == CREDENTIAL_CERTIFICATE)
        return repeats_own_name(s, authzid, authcid);
    return s->conf->auth.allow_authzid;
}

/* The credentials are complete: they name one identity, or the attempt ends here. Routing on one
 * name and logging in as another is never done (RFC 4616 section 2). */
static void attempt(struct session *s)
{
    s->pre->attempt_began = s->now;
    if (!name_user(s))
        refuse_login(s, REFUSAL_authentication);
    else if (!may_act_as(s, secret_reveal(&s->pre->credentials.authzid),
                         secret_reveal(&s->pre->credentials.authcid)))
        refuse_login(s, REFUSAL_authorization);
    else if (gate_attempt(s))
        place_begin(s);
}

void auth_login(struct session *s, struct slice tag, struct slice args)
{
    if (!command_login(args, &s->pre->credentials.authcid, &s->pre->credentials.password)) {
        command_bad(s, tag, "LOGIN takes a user name and a password.");
        return;
    }
    keep_tag(s, tag);
    s->pre->credentials.kind = CREDENTIAL_PASSWORD;
    if (!credentials_user_legal(secret_reveal(&s->pre->credentials.authcid))) {
        credentials_clear(&s->pre->credentials);
        command_bad(s, tag, "Invalid user name.");
        return;
    }
    attempt(s);
}

static void say_challenge(struct session *s, struct slice challenge)
{
    char storage[64];
    struct str text = STR_ON(storage);

    base64_encode(challenge, &text);
    ENSURE(!text.overflow);
    /* `+` and a space even when the challenge is empty (RFC 9051 section 7.6). */
    session_say(s, "+ %s\r\n", storage);
}

/* One response of the client, still in base64. */
static void respond(struct session *s, struct slice base64)
{
    struct secret response = SECRET_EMPTY;
    struct slice challenge = SLICE("");
    enum result result = BAD;

    if (base64_decode(base64, &response))
        result = s->pre->sasl.row->respond(&s->pre->sasl, secret_reveal(&response),
                                           &s->pre->credentials, &challenge);
    secret_clear(&response);
    if (result == CONTINUE) {
        say_challenge(s, challenge);
        session_move(s, PHASE_SASL, s->login_until);
    } else if (result == DONE) {
        attempt(s);
    } else {
        credentials_clear(&s->pre->credentials);
        command_enter(s);
        command_bad(s, tag_of(s), "Invalid SASL response.");
    }
}

void auth_mechanisms(const struct session *s, bool usable[CONF_MECH_COUNT], struct str *words)
{
    memcpy(usable, s->conf->auth.mechanisms, sizeof(s->conf->auth.mechanisms));
    if (s->lore != NULL && s->conf->capabilities == NULL)
        s->lore->advertise(s->lore->ctx, s->listener, words, usable);
    else if (words != NULL)
        str_add(words, slice_str(s->conf->capabilities != NULL ? s->conf->capabilities
                                                               : SESSION_CAPABILITIES));
    if (s->client.cert_email == NULL && s->client.cert_name == NULL)
        usable[CONF_MECH_EXTERNAL] = false;
}

void auth_authenticate(struct session *s, struct slice tag, struct slice args)
{
    bool usable[CONF_MECH_COUNT];
    struct command_authenticate auth;
    const struct sasl_row *row;

    if (!command_authenticate(args, &auth)) {
        command_bad(s, tag, "AUTHENTICATE takes a mechanism and an optional initial response.");
        return;
    }
    auth_mechanisms(s, usable, NULL);
    row = sasl_find(auth.mechanism, usable);
    if (row == NULL) {
        session_say(s, "%.*s NO [CANNOT] Unsupported authentication mechanism.\r\n",
                    SLICE_ARG(tag));
        return;
    }
    if (auth.has_initial && !row->client_first) {
        command_bad(s, tag, "This mechanism takes no initial response.");
        return;
    }
    keep_tag(s, tag);
    s->pre->sasl = (struct sasl){.row = row};
    if (auth.has_initial) {
        respond(s, auth.initial);
        return;
    }
    say_challenge(s, row->first());
    session_move(s, PHASE_SASL, s->login_until);
}

enum result auth_line(struct session *s, struct slice *line, size_t *len)
{
    struct scan_limits limits = {.sasl_line = s->conf->limits.sasl_line};
    enum result result = scan_line(&s->pre->scan, &s->client.in, &limits);
    struct slice text;

    if (result == NEED_MORE)
        return NEED_MORE;
    if (result == DONE) {
        text = slice_take(buf_bytes(&s->client.in), s->pre->scan.len);
        *len = text.len;
        while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
            text.len--;
        *line = text;
    }
    scan_reset(&s->pre->scan);
    return result;
}

enum step sasl_step(struct session *s)
{
    struct slice line = SLICE("");
    size_t len = 0;
    enum result result = auth_line(s, &line, &len);

    if (result == NEED_MORE) {
        if (!s->client.eof)
            return STILL;
        session_fail(s, REASON_client_closed);
    } else if (result == BAD) {
        credentials_clear(&s->pre->credentials);
        command_enter(s);
        command_bad(s, tag_of(s), "Invalid SASL response.");
    } else if (slice_eq(line, SLICE("*"))) {
        /* Cancelled (RFC 9051 section 6.2.2): no guess, no offence. */
        credentials_clear(&s->pre->credentials);
        session_say(s, "%.*s BAD Authentication cancelled.\r\n", SLICE_ARG(tag_of(s)));
        command_enter(s);
    } else {
        respond(s, line);
    }
    buf_drop(&s->client.in, len);
    return MOVED;
}
