/*
 * The dialogue with the backend up to its verdict: greeting, STARTTLS, capabilities, login (RFC
 * 9051 sections 6.1.1, 6.2, 7.1). Reads backend.in, writes backend.out. Never retries credentials
 * that were judged, never sends anything but STARTTLS before TLS, never forwards a referral.
 */
#include "session/phase.h"

#include <stdlib.h>

/* s->dialogue: which of our commands is being answered. */
enum dialogue { BEGINNING, SHAKING, AWAIT_CAPS, AWAIT_VERDICT, AWAIT_POSTCAPS };

/* One whole reply, or the end of this candidate (BAD). */
static enum result hear(struct session *s)
{
    enum result result = reply_next(&s->reply, &s->backend.in);

    if (result == BAD) {
        place_next(s, REFUSAL_unavailable, "reply is not IMAP");
    } else if (result == NEED_MORE && s->backend.failed) {
        place_next(s, REFUSAL_none, s->backend.detail);
        result = BAD;
    } else if (result == NEED_MORE && s->backend.eof) {
        place_next(s, REFUSAL_unavailable, "closed the connection");
        result = BAD;
    }
    return result;
}

/* Drops the reply that hear found; its slices are dead afterwards. */
static void heard(struct session *s)
{
    buf_drop(&s->backend.in, s->reply.len);
    reply_reset(&s->reply);
}

static enum step waiting(enum result result)
{
    return result == NEED_MORE ? STILL : MOVED;
}

static bool is_own(const struct session *s)
{
    char tag[32];
    return s->reply.kind == REPLY_TAGGED && slice_eq(s->reply.tag, login_own_tag(s, tag));
}

/* Learns capabilities wherever a reply may carry them. */
static void learn(struct session *s)
{
    struct slice words = s->reply.code;

    if (s->reply.status == STATUS_OTHER) {
        if (s->reply.kind != REPLY_UNTAGGED || !slice_eq_nocase(s->reply.word, SLICE("CAPABILITY")))
            return;
        words = s->reply.text;
    } else if (!slice_eq_nocase(reply_code_name(&s->reply), SLICE("CAPABILITY"))) {
        return;
    } else {
        slice_cut(&words, ' ');
    }
    if (!caps_set(&s->caps, words))
        caps_clear(&s->caps);
}

static bool one_line(struct slice text)
{
    return slice_find(text, '\r') == text.len && slice_find(text, '\n') == text.len;
}

/* An ALERT must reach the user (RFC 9051 section 7.1), but only from a backend that TLS vouches
 * for. */
static void forward_alert(struct session *s, const char *status)
{
    struct slice text = s->reply.text;

    if (!slice_eq_nocase(reply_code_name(&s->reply), SLICE("ALERT")))
        return;
    if (!s->backend.secure || !one_line(text))
        return;
    session_say(s, "* %s [ALERT] ", status);
    session_tell(s, text);
    session_say(s, "\r\n");
}

static void send_login(struct session *s)
{
    if (!caps_has(&s->caps, SLICE("IMAP4rev1")) && !caps_has(&s->caps, SLICE("IMAP4rev2"))) {
        place_next(s, REFUSAL_unavailable, "speaks neither IMAP4rev1 nor IMAP4rev2");
        return;
    }
    if (login_begin(s) == LOGIN_NOT_HERE) {
        place_next(s, REFUSAL_serverbug, "offers no login that can carry the credentials");
        return;
    }
    /* From here on a capability list is the one for the logged-in user. */
    caps_clear(&s->caps);
    s->dialogue = AWAIT_VERDICT;
}

static void begin_login(struct session *s)
{
    session_move(s, PHASE_LOGIN, s->backend_until);
    if (caps_known(&s->caps)) {
        send_login(s);
        return;
    }
    login_command(s, "CAPABILITY");
    s->dialogue = AWAIT_CAPS;
}

enum step greeting_step(struct session *s)
{
    bool in_clear = s->target->tls != CONF_TLS_IMPLICIT;
    enum result result;

    if (s->backend.ask != 0)
        return STILL;
    if (!in_clear && !s->backend.secure && !s->backend.failed && !s->backend.eof)
        return STILL;
    result = hear(s);
    if (result != DONE)
        return waiting(result);
    if (s->reply.kind != REPLY_UNTAGGED || s->reply.status != STATUS_OK) {
        /* PREAUTH would be somebody's session, not this user's (RFC 9051 section 7.1.4). */
        place_next(s, REFUSAL_unavailable,
                   s->reply.status == STATUS_PREAUTH ? "greeting is PREAUTH"
                   : s->reply.status == STATUS_BYE   ? "greeting is BYE"
                                                     : "greeting is not IMAP");
        return MOVED;
    }
    learn(s);
    heard(s);
    if (s->target->tls != CONF_TLS_STARTTLS) {
        begin_login(s);
    } else if (caps_known(&s->caps) && !caps_has(&s->caps, SLICE("STARTTLS"))) {
        place_next(s, REFUSAL_serverbug, "STARTTLS is not offered");
    } else {
        login_command(s, "STARTTLS");
        session_move(s, PHASE_STARTING, s->backend_until);
    }
    return MOVED;
}

/* The tagged answer to STARTTLS. */
static void starttls_answered(struct session *s)
{
    bool ok = s->reply.status == STATUS_OK;

    heard(s);
    if (!ok) {
        place_next(s, REFUSAL_serverbug, "STARTTLS was refused");
    } else if (!buf_empty(&s->backend.in)) {
        /* Whoever put it there wants it read as if TLS had protected it. */
        place_next(s, REFUSAL_serverbug, "bytes follow the answer to STARTTLS in clear");
    } else {
        s->backend.ask = ASK_TLS;
        s->dialogue = SHAKING;
    }
}

enum step starting_step(struct session *s)
{
    enum result result;

    if (s->backend.ask != 0)
        return STILL;
    if (s->backend.secure) {
        caps_clear(&s->caps);
        begin_login(s);
        return MOVED;
    }
    result = hear(s);
    if (result != DONE)
        return waiting(result);
    if (s->dialogue != SHAKING && is_own(s))
        starttls_answered(s);
    else
        heard(s);
    return MOVED;
}

static void accepted(struct session *s)
{
    learn(s);
    forward_alert(s, "OK");
    heard(s);
    credentials_clear(&s->credentials);
    /* A judged login is tried nowhere else, even if this backend leaves us now. */
    s->route->candidate_count = s->candidate;
    if (caps_known(&s->caps)) {
        relay_enter(s, caps_words(&s->caps));
        return;
    }
    login_command(s, "CAPABILITY");
    s->dialogue = AWAIT_POSTCAPS;
}

/* Any other code is the backend's message to its user: passed on with its text. */
static void forward_refusal(struct session *s)
{
    char *memory = malloc(LIMIT_REPLY);
    struct str text;

    if (memory == NULL) {
        session_fail(s, REASON_no_memory);
        return;
    }
    text = str_on(memory, LIMIT_REPLY);
    str_addc(&text, '[');
    str_add(&text, s->reply.code);
    str_add(&text, SLICE("] "));
    str_add(&text, s->reply.text);
    if (!text.overflow && one_line(str_slice(&text)) && secret_set(&s->forwarded, str_slice(&text)))
        auth_refuse(s, REFUSAL_forwarded);
    else
        auth_refuse(s, REFUSAL_serverbug);
    free(memory);
}

static void log_verdict(struct session *s, const char *why)
{
    struct log_line line;

    if (!session_log(s, &line, LEVEL_WARN, "backend_failed"))
        return;
    log_text(&line, "backend", slice_str(s->target->name));
    log_text(&line, "phase", slice_str(session_phase_name(s->phase)));
    log_text(&line, "why", slice_str(why));
    log_text(&line, "code", reply_code_name(&s->reply));
    log_end(&line);
}

/* Which NO is a wrong password and which is not: RFC 5530 section 3. A NO without a code could
 * tell whether the user exists, so it is one. */
static void refused(struct session *s)
{
    struct slice code = reply_code_name(&s->reply);

    if (code.len == 0 || slice_eq_nocase(code, SLICE("AUTHENTICATIONFAILED"))) {
        s->judged_by_backend = true;
        auth_refuse(s, REFUSAL_authentication);
    } else if (slice_eq_nocase(code, SLICE("UNAVAILABLE"))) {
        place_next(s, REFUSAL_unavailable, "answered NO [UNAVAILABLE]");
    } else if (slice_eq_nocase(code, SLICE("SERVERBUG"))) {
        log_verdict(s, "answered NO [SERVERBUG]");
        auth_refuse(s, REFUSAL_serverbug);
    } else if (slice_eq_nocase(code, SLICE("REFERRAL"))) {
        log_verdict(s, "referred the user elsewhere");
        auth_refuse(s, REFUSAL_unavailable);
    } else {
        forward_refusal(s);
    }
}

/* The tagged answer to our login; slices of the reply are alive. */
static void judged(struct session *s)
{
    if (s->reply.status == STATUS_OK) {
        accepted(s);
    } else if (s->reply.status == STATUS_NO) {
        refused(s);
    } else {
        /* BAD is about our syntax, not about the password (RFC 9051 section 7.1.3). */
        log_verdict(s, "answered the login with BAD");
        auth_refuse(s, REFUSAL_serverbug);
    }
}

static void own_reply(struct session *s)
{
    bool ok = s->reply.status == STATUS_OK;

    if (s->dialogue == AWAIT_VERDICT) {
        judged(s);
        return;
    }
    learn(s);
    heard(s);
    if (s->dialogue == AWAIT_POSTCAPS)
        relay_enter(s, caps_known(&s->caps) ? caps_words(&s->caps) : SLICE("IMAP4rev1"));
    else if (ok && caps_known(&s->caps))
        send_login(s);
    else
        place_next(s, REFUSAL_unavailable, "does not say what it can do");
}

static void other_reply(struct session *s)
{
    if (s->reply.kind == REPLY_CONTINUE) {
        /* One that we do not wait for means nothing. */
        if (s->dialogue == AWAIT_VERDICT)
            login_continue(s);
    } else if (s->reply.kind == REPLY_UNTAGGED && s->reply.status == STATUS_BYE) {
        place_next(s, REFUSAL_unavailable, "said BYE during login");
        return;
    } else if (s->reply.kind == REPLY_UNTAGGED) {
        learn(s);
        if (s->reply.status == STATUS_OK)
            forward_alert(s, "OK");
        else if (s->reply.status == STATUS_NO)
            forward_alert(s, "NO");
    }
    heard(s);
}

enum step login_step(struct session *s)
{
    enum result result = hear(s);

    if (result != DONE)
        return waiting(result);
    if (is_own(s))
        own_reply(s);
    else
        other_reply(s);
    return MOVED;
}
