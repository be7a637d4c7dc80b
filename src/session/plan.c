/*
 * Decides how credentials are put to a backend: by what it offers, by what the configuration says
 * of it, and by what the client gave. Pure choice: sends nothing, keeps nothing, owns nothing.
 */
#include "session/login.h"

#include "waypost/imap/write.h"

/* Non-synchronising literals that LITERAL- allows (RFC 7888 section 5). */
#define LITERAL_MINUS_MAX 4096u

static bool offers(const struct session *s, const char *mechanism)
{
    char storage[64];
    struct str word = STR_ON(storage);

    str_addf(&word, "AUTH=%s", mechanism);
    return caps_has(&s->pre->caps, str_slice(&word));
}

static bool as_text(struct slice value)
{
    enum write_form form = write_form_of(value);
    return form == WRITE_ATOM || form == WRITE_QUOTED;
}

static bool literals_at_once(const struct session *s, const struct login_plan *plan)
{
    if (caps_has(&s->pre->caps, SLICE("LITERAL+")))
        return true;
    return caps_has(&s->pre->caps, SLICE("LITERAL-")) && plan->name.len <= LITERAL_MINUS_MAX &&
           plan->secret.len <= LITERAL_MINUS_MAX;
}

static void give_up(struct login_plan *plan, const char *why)
{
    plan->form = FORM_NONE;
    plan->why = why;
}

static void plan_mechanism(const struct session *s, struct login_plan *plan, enum login_form form,
                           const char *word)
{
    plan->form = form;
    plan->word = word;
    plan->at_once = caps_has(&s->pre->caps, SLICE("SASL-IR"));
}

/*
 * A name and a password. One round trip where there is one: PLAIN with an initial response, else
 * LOGIN in text. LOGIN is not extended to UTF-8 (RFC 6855 section 5), so 8-bit values prefer PLAIN
 * even at two trips. An authorization identity fits PLAIN only.
 */
static void plan_password(const struct session *s, struct login_plan *plan)
{
    enum conf_forward forward = s->target->auth_forward;
    bool plain = forward != CONF_FORWARD_LOGIN && offers(s, "PLAIN");
    bool login = forward != CONF_FORWARD_PLAIN && plan->authzid.len == 0 &&
                 !caps_has(&s->pre->caps, SLICE("LOGINDISABLED"));
    bool text = as_text(plan->name) && as_text(plan->secret);

    if (plain && (caps_has(&s->pre->caps, SLICE("SASL-IR")) || !login || !text)) {
        plan_mechanism(s, plan, FORM_PLAIN, "PLAIN");
    } else if (login && text) {
        plan->form = FORM_LOGIN_TEXT;
    } else if (login) {
        plan->form = FORM_LOGIN_LITERALS;
        plan->at_once = literals_at_once(s, plan);
    } else {
        give_up(plan, "offers no login that can carry the credentials");
    }
}

/* The name in a message that we pass on as it is must be the one that we routed. */
static bool name_stays(const struct session *s)
{
    struct slice authzid = secret_reveal(&s->pre->credentials.authzid);
    struct slice authcid = secret_reveal(&s->pre->credentials.authcid);

    return s->pre->claimed ||
           slice_eq_nocase(authzid.len > 0 ? authzid : authcid, slice_str(s->route->login));
}

static void plan_relayed(const struct session *s, struct login_plan *plan, const char *word)
{
    plan->message = secret_reveal(&s->pre->credentials.message);
    if (!offers(s, word))
        give_up(plan, "does not offer the client's mechanism");
    else if (!name_stays(s))
        give_up(plan, "the route changes the user name, which this mechanism does not allow");
    else
        plan_mechanism(s, plan, FORM_RELAYED, word);
}

static void plan_oauth(const struct session *s, struct login_plan *plan, enum conf_mechanism to)
{
    const char *word = sasl_name(to);
    bool own = s->pre->credentials.kind == CREDENTIAL_TOKEN && s->pre->credentials.mechanism == to;

    plan->mechanism = to;
    if (own && name_stays(s))
        plan_relayed(s, plan, word);
    else if (!offers(s, word))
        give_up(plan, "does not offer the mechanism of auth_forward");
    else
        plan_mechanism(s, plan, FORM_OAUTH, word);
}

/* The proxy vouches for a user whom the client's certificate named (RFC 4422 appendix A). */
static void plan_master(const struct session *s, struct login_plan *plan)
{
    const struct conf_backend *target = s->target;
    struct str name = STR_ON(plan->master);

    if (target->master_user == NULL) {
        give_up(plan, "has no master login for users with certificates");
        return;
    }
    if (target->master_separator != '\0' &&
        slice_find(plan->name, target->master_separator) < plan->name.len) {
        give_up(plan, "the user's name holds the master login's separator");
        return;
    }
    plan->secret = secret_reveal(&target->master_password);
    if (target->master_separator == '\0') {
        plan->authzid = plan->name;
        plan->name = slice_str(target->master_user);
    } else {
        str_addf(&name, "%s%c%s", s->route->login, target->master_separator, target->master_user);
        plan->name = str_slice(&name);
    }
    if (name.overflow)
        give_up(plan, "master login name is too long");
    else
        plan_password(s, plan);
}

static void plan_token(const struct session *s, struct login_plan *plan)
{
    switch (s->target->auth_forward) {
    case CONF_FORWARD_SAME:
        plan_oauth(s, plan, s->pre->credentials.mechanism);
        break;
    case CONF_FORWARD_XOAUTH2:
        plan_oauth(s, plan, CONF_MECH_XOAUTH2);
        break;
    case CONF_FORWARD_OAUTHBEARER:
        plan_oauth(s, plan, CONF_MECH_OAUTHBEARER);
        break;
    case CONF_FORWARD_PLAIN:
    case CONF_FORWARD_LOGIN:
        plan_password(s, plan); /* the token stands for the password */
        break;
    }
}

static void plan_named(const struct session *s, struct login_plan *plan)
{
    struct slice authzid = secret_reveal(&s->pre->credentials.authzid);
    enum conf_forward forward = s->target->auth_forward;

    if (authzid.len > 0) {
        plan->authzid = plan->name;
        plan->name = secret_reveal(&s->pre->credentials.authcid);
    }
    if (forward == CONF_FORWARD_XOAUTH2 || forward == CONF_FORWARD_OAUTHBEARER)
        plan_token(s, plan);
    else
        plan_password(s, plan);
}

void login_plan(const struct session *s, struct login_plan *out)
{
    *out = (struct login_plan){
        .name = slice_str(s->route->login),
        .secret = secret_reveal(&s->pre->credentials.password),
    };
    switch (s->pre->credentials.kind) {
    case CREDENTIAL_PASSWORD:
        plan_named(s, out);
        break;
    case CREDENTIAL_TOKEN:
        plan_token(s, out);
        break;
    case CREDENTIAL_RELAYED:
        plan_relayed(s, out, sasl_name(s->pre->credentials.mechanism));
        break;
    case CREDENTIAL_CERTIFICATE:
        plan_master(s, out);
        break;
    }
}
