/*
 * Credentials from the client and refusals to it: LOGIN, AUTHENTICATE and the SASL exchange
 * (RFC 9051 section 6.2, RFC 4422, RFC 4959), and what is said when a login fails (RFC 5530).
 * Owns s->credentials until the attempt ends; never logs, echoes or forwards a secret.
 */
#include "session/phase.h"

#include <stdlib.h>
#include <string.h>

#include "waypost/imap/command.h"
#include "waypost/sasl/base64.h"

static struct slice tag_of(const struct session *s)
{
    return slice_of(s->tag, s->tag_len);
}

static void keep_tag(struct session *s, struct slice tag)
{
    REQUIRE(tag.len <= sizeof(s->tag));
    memcpy(s->tag, tag.ptr, tag.len);
    s->tag_len = tag.len;
}

/* One stable line for each failed login, at once, so that what counts failures need not wait for
 * the end of the connection. */
static void log_refusal(struct session *s, enum refusal refusal, struct slice user)
{
    struct log_line line;

    if (!session_log(s, &line, LEVEL_INFO, "login_refused"))
        return;
    log_text(&line, "user", user);
    log_text(&line, "why", slice_str(refusal_table[refusal].name));
    log_text(&line, "guess", refusal_table[refusal].guess ? SLICE("yes") : SLICE("no"));
    if (s->target != NULL)
        log_text(&line, "backend", slice_str(s->target->name));
    log_end(&line);
}

/* --- before TLS ------------------------------------------------------------------------------ */

/* The user a credential sent in clear belongs to, so that an auditor can find the account. */
static void exposed_user(const struct command *command, struct str *out)
{
    struct command_authenticate auth;
    struct credentials seen = {.authcid = SECRET_EMPTY};
    struct secret message = SECRET_EMPTY;
    bool plain_only[CONF_MECH_COUNT] = {[CONF_MECH_PLAIN] = true};
    const struct sasl_row *row;
    struct sasl sasl = {.row = NULL};
    struct slice challenge;

    if (command->name == COMMAND_LOGIN) {
        command_login_user(command->args, out);
        return;
    }
    if (!command_authenticate(command->args, &auth) || !auth.has_initial)
        return;
    row = sasl_find(auth.mechanism, plain_only);
    if (row == NULL || !base64_decode(auth.initial, &message))
        return;
    sasl.row = row;
    if (row->respond(&sasl, secret_reveal(&message), &seen, &challenge) == DONE)
        str_add(out, secret_reveal(&seen.authcid));
    secret_clear(&message);
    credentials_clear(&seen);
}

static bool password_seen(const struct command *command)
{
    struct command_authenticate auth;

    if (command->name == COMMAND_LOGIN)
        return command->args.len > 0;
    return command_authenticate(command->args, &auth) && auth.has_initial;
}

void auth_in_clear(struct session *s, struct slice bytes, bool complete)
{
    char storage[LIMIT_USER + 1];
    struct str user = STR_ON(storage);
    struct command command = {.name = COMMAND_UNKNOWN};
    struct log_line line;
    bool legible = command_parse(bytes, &command) != COMMAND_BAD_TAG;
    bool credential = command.name == COMMAND_LOGIN || command.name == COMMAND_AUTHENTICATE;
    bool exposed = complete && legible && password_seen(&command);

    if (!credential) {
        command_bad(s, legible ? command.tag : SLICE(""), "No literal is taken before TLS.");
    } else {
        exposed_user(&command, &user);
        if (session_log(s, &line, LEVEL_WARN, "credentials_in_clear")) {
            log_text(&line, "user", str_slice(&user));
            log_text(&line, "listener", slice_str(s->listener->name));
            log_text(&line, "password_seen", exposed ? SLICE("yes") : SLICE("no"));
            log_end(&line);
        }
        if (exposed)
            session_say(s, "* BAD [ALERT] Your password was sent over the network without "
                           "protection: change it, and let your mail program use TLS.\r\n");
        session_say(s, "%.*s NO [%s] %s\r\n", SLICE_ARG(command.tag),
                    refusal_table[REFUSAL_privacy].code, refusal_table[REFUSAL_privacy].text);
        metric_add(&s->env->metrics->logins_refused[REFUSAL_privacy], 1);
        if (++s->bad_commands >= s->conf->limits.bad_commands)
            session_fail(s, REASON_too_many_bad);
    }
    if (!complete) {
        /* The announced literal is refused, so the client will not send it. */
        buf_drop(&s->client.in, bytes.len);
        scan_reset(&s->scan);
    }
}

/* --- under TLS ------------------------------------------------------------------------------- */

/* The credentials are complete: they name one identity, or the attempt ends here. Routing on one
 * name and logging in as another is never done (RFC 4616 section 2). */
static void attempt(struct session *s)
{
    struct slice authcid = secret_reveal(&s->credentials.authcid);
    struct slice authzid = secret_reveal(&s->credentials.authzid);

    s->attempt_began = s->now;
    if (authzid.len > 0 && !slice_eq(authzid, authcid)) {
        auth_refuse(s, REFUSAL_authorization);
        return;
    }
    place_begin(s);
}

void auth_login(struct session *s, struct slice tag, struct slice args)
{
    if (!command_login(args, &s->credentials.authcid, &s->credentials.password)) {
        command_bad(s, tag, "LOGIN takes a user name and a password.");
        return;
    }
    keep_tag(s, tag);
    if (!credentials_user_legal(secret_reveal(&s->credentials.authcid))) {
        credentials_clear(&s->credentials);
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
        result =
            s->sasl.row->respond(&s->sasl, secret_reveal(&response), &s->credentials, &challenge);
    secret_clear(&response);
    if (result == CONTINUE) {
        say_challenge(s, challenge);
        session_move(s, PHASE_SASL, s->login_until);
    } else if (result == DONE) {
        attempt(s);
    } else {
        credentials_clear(&s->credentials);
        command_enter(s);
        command_bad(s, tag_of(s), "Invalid SASL response.");
    }
}

void auth_authenticate(struct session *s, struct slice tag, struct slice args)
{
    struct command_authenticate auth;
    const struct sasl_row *row;

    if (!command_authenticate(args, &auth)) {
        command_bad(s, tag, "AUTHENTICATE takes a mechanism and an optional initial response.");
        return;
    }
    row = sasl_find(auth.mechanism, s->conf->auth.mechanisms);
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
    s->sasl = (struct sasl){.row = row};
    if (auth.has_initial) {
        respond(s, auth.initial);
        return;
    }
    say_challenge(s, row->first());
    session_move(s, PHASE_SASL, s->login_until);
}

/* Without CRLF; scan_line has judged the framing. */
static struct slice line_text(struct slice line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return line;
}

enum step sasl_step(struct session *s)
{
    struct scan_limits limits = {.sasl_line = s->conf->limits.sasl_line};
    struct slice line;
    size_t len;

    switch (scan_line(&s->scan, &s->client.in, &limits)) {
    case NEED_MORE:
    case CONTINUE:
        if (!s->client.eof)
            return STILL;
        session_fail(s, REASON_client_closed);
        return MOVED;
    case BAD:
        credentials_clear(&s->credentials);
        command_enter(s);
        command_bad(s, tag_of(s), "Invalid SASL response.");
        return MOVED;
    case DONE:
        break;
    }
    len = s->scan.len;
    line = line_text(slice_take(buf_bytes(&s->client.in), len));
    scan_reset(&s->scan);
    if (slice_eq(line, SLICE("*"))) {
        /* Cancelled (RFC 9051 section 6.2.2): no guess, no offence. */
        credentials_clear(&s->credentials);
        session_say(s, "%.*s BAD Authentication cancelled.\r\n", SLICE_ARG(tag_of(s)));
        command_enter(s);
    } else {
        respond(s, line);
    }
    buf_drop(&s->client.in, len);
    return MOVED;
}

/* --- refusals -------------------------------------------------------------------------------- */

static uint64_t penalty(const struct session *s)
{
    uint64_t delay = s->conf->auth.penalty_first;

    for (unsigned i = 1; i < s->failures && delay < s->conf->auth.penalty_max; i++)
        delay *= 2;
    return delay < s->conf->auth.penalty_max ? delay : s->conf->auth.penalty_max;
}

/* How long a backend would have taken to say no: one of the latest samples (RFC 9051 section
 * 11.7: a user that is not there must not be told apart by the time). */
static uint64_t pretended_delay(struct session *s)
{
    const struct rejections *seen = &s->env->rejections;

    if (seen->count == 0)
        return 0;
    return seen->sample[session_random(s) % seen->count];
}

static void remember_rejection(struct session *s)
{
    struct rejections *seen = &s->env->rejections;

    seen->sample[seen->next] = (uint32_t)(s->now - s->attempt_began);
    seen->next = (seen->next + 1) % (unsigned)COUNT_OF(seen->sample);
    if (seen->count < COUNT_OF(seen->sample))
        seen->count++;
}

void auth_refuse(struct session *s, enum refusal refusal)
{
    uint64_t answer_at = s->now;

    s->refusal = refusal;
    metric_add(&s->env->metrics->logins_refused[refusal], 1);
    log_refusal(s, refusal, secret_reveal(&s->credentials.authcid));
    if (refusal_table[refusal].guess) {
        s->failures++;
        if (s->judged_by_backend)
            remember_rejection(s);
        else
            answer_at += pretended_delay(s);
        answer_at += penalty(s);
    }
    credentials_clear(&s->credentials);
    caps_clear(&s->caps);
    free(s->route);
    s->route = NULL;
    s->target = NULL;
    place_hang_up(s);
    session_move(s, PHASE_REFUSE, answer_at);
}

enum step refuse_step(struct session *s)
{
    UNUSED(s);
    return STILL;
}

void refuse_late(struct session *s)
{
    const struct refusal_row *row = &refusal_table[s->refusal];

    if (s->refusal == REFUSAL_forwarded) {
        session_say(s, "%.*s NO ", SLICE_ARG(tag_of(s)));
        session_tell(s, secret_reveal(&s->forwarded));
        session_say(s, "\r\n");
        secret_clear(&s->forwarded);
    } else if (row->guess) {
        session_say(s, "%.*s NO [%s] %s\r\n", SLICE_ARG(tag_of(s)), row->code, row->text);
    } else {
        /* The session's id lets support find the log line. */
        session_say(s, "%.*s NO [%s] %s [%s]\r\n", SLICE_ARG(tag_of(s)), row->code, row->text,
                    s->id);
    }
    if (s->failures >= s->conf->auth.attempts_per_connection) {
        session_fail(s, REASON_too_many_failures);
        return;
    }
    s->login_until = s->now + s->conf->timeouts.login;
    command_enter(s);
}
