/*
 * The dialogue with the backend up to its verdict: greeting, STARTTLS, capabilities, ID, login (RFC
 * 9051 sections 6.1.1, 6.2, 7.1; RFC 2971). Reads backend.in, writes backend.out through login.c.
 * What is sent when follows from what is known (advance), so several commands share a write where
 * the backend allows it. Never sends anything but STARTTLS before TLS; every own tag is answered
 * here, none reaches the client. The verdict itself is judged in verdict.c.
 */
#include "session/login.h"

#include "session/verdict.h"

/* One whole reply, or the end of this candidate (BAD). */
static enum result hear(struct session *s)
{
    enum result result = reply_next(&s->pre->reply, &s->backend.in);

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
    buf_drop(&s->backend.in, s->pre->reply.len);
    reply_reset(&s->pre->reply);
}

static enum step waiting(enum result result)
{
    return result == NEED_MORE ? STILL : MOVED;
}

/* The number of our command that the reply answers, or 0. */
static unsigned own_number(const struct session *s)
{
    return s->pre->reply.kind == REPLY_TAGGED ? login_own_number(s, s->pre->reply.tag) : 0;
}

static void note(struct session *s, enum lore_when when, struct slice words)
{
    if (s->lore != NULL)
        s->lore->note(s->lore->ctx, s->target, when, words);
}

/*
 * Learns capabilities. A list that is not the answer to our own question before login is the one
 * for the logged-in user. What a login was planned by stays as it is while the login is under way:
 * a list that comes too late is for the next session.
 */
static void learn(struct session *s)
{
    struct slice words;
    bool before = !s->pre->accepted && (!s->pre->said_login || s->pre->sent.caps != 0);
    struct caps *caps = before ? &s->pre->caps : &s->pre->caps_after;

    if (!reply_capabilities(&s->pre->reply, &words))
        return;
    if (before && (s->target->tls != CONF_TLS_STARTTLS || s->backend.secure))
        note(s, LORE_BEFORE_LOGIN, words);
    if (before && s->pre->said_login) {
        s->pre->outdated = !slice_eq(words, caps_words(&s->pre->caps));
        return;
    }
    if (!caps_set(caps, words))
        caps_clear(caps);
}

/* --- what to send ----------------------------------------------------------------------------- */

static void say_login(struct session *s)
{
    struct login_plan plan;

    if (!caps_has(&s->pre->caps, SLICE("IMAP4rev1")) &&
        !caps_has(&s->pre->caps, SLICE("IMAP4rev2"))) {
        place_next(s, REFUSAL_unavailable, "speaks neither IMAP4rev1 nor IMAP4rev2");
        return;
    }
    login_plan(s, &plan);
    if (plan.form == FORM_NONE) {
        place_next(s, REFUSAL_serverbug, plan.why);
        return;
    }
    s->pre->sent.login = login_begin(s, &plan);
    s->pre->said_login = true;
    s->lease.committed = s->pre->sent.login != 0;
    if (s->pre->sent.login == 0)
        place_next(s, REFUSAL_serverbug, "credentials do not fit a command");
}

/* With capabilities that another session has seen there is no need to wait for the answer: ask and
 * go on. Without TLS a list could be anybody's, and LOGINDISABLED must be heard first. */
static bool recall(struct session *s)
{
    return s->target->pipelining && s->backend.secure && s->lore != NULL &&
           s->lore->recall(s->lore->ctx, s->target, &s->pre->caps);
}

/* Sends whatever can be sent now. Called when the connection is ready and after each answer. */
static void advance(struct session *s)
{
    bool pipelining = s->target->pipelining;

    if (!caps_known(&s->pre->caps)) {
        if (s->pre->sent.caps == 0)
            s->pre->sent.caps = login_command(s, "CAPABILITY");
        if (!recall(s))
            return;
    }
    if (!s->pre->said_id && s->target->identity_id && caps_has(&s->pre->caps, SLICE("ID")))
        s->pre->sent.id = login_identify(s);
    s->pre->said_id = true;
    if (!s->pre->said_login && (pipelining || (s->pre->sent.id == 0 && s->pre->sent.caps == 0)))
        say_login(s);
}

static void begin_login(struct session *s)
{
    place_reached(s);
    session_move(s, PHASE_LOGIN, s->backend_until);
    advance(s);
}

/* --- greeting and STARTTLS -------------------------------------------------------------------- */

enum step greeting_step(struct session *s)
{
    bool shaking = s->target->tls == CONF_TLS_IMPLICIT && !s->backend.secure;
    enum result result;

    if (s->backend.ask != 0 || (shaking && !s->backend.failed && !s->backend.eof))
        return STILL;
    result = hear(s);
    if (result != DONE)
        return waiting(result);
    if (s->pre->reply.kind != REPLY_UNTAGGED || s->pre->reply.status != STATUS_OK) {
        /* PREAUTH would be somebody's session, not this user's (RFC 9051 section 7.1.4). */
        place_next(s, REFUSAL_unavailable,
                   s->pre->reply.status == STATUS_PREAUTH ? "greeting is PREAUTH"
                   : s->pre->reply.status == STATUS_BYE   ? "greeting is BYE"
                                                          : "greeting is not IMAP");
        return MOVED;
    }
    learn(s);
    heard(s);
    if (s->target->tls != CONF_TLS_STARTTLS) {
        begin_login(s);
    } else if (caps_known(&s->pre->caps) && !caps_has(&s->pre->caps, SLICE("STARTTLS"))) {
        place_next(s, REFUSAL_serverbug, "STARTTLS is not offered");
    } else {
        s->pre->sent.starttls = login_command(s, "STARTTLS");
        session_move(s, PHASE_STARTING, s->backend_until);
    }
    return MOVED;
}

/* The tagged answer to STARTTLS. */
static void starttls_answered(struct session *s)
{
    bool ok = s->pre->reply.status == STATUS_OK;

    s->pre->sent.starttls = 0;
    heard(s);
    if (!ok) {
        place_next(s, REFUSAL_serverbug, "STARTTLS was refused");
    } else if (!buf_empty(&s->backend.in)) {
        /* Whoever put it there wants it read as if TLS had protected it. */
        place_next(s, REFUSAL_serverbug, "bytes follow the answer to STARTTLS in clear");
    } else {
        s->backend.ask = ASK_TLS;
    }
}

enum step starting_step(struct session *s)
{
    enum result result;

    if (s->backend.ask != 0)
        return STILL;
    if (s->backend.secure) {
        caps_clear(&s->pre->caps);
        begin_login(s);
        return MOVED;
    }
    result = hear(s);
    if (result != DONE)
        return waiting(result);
    if (s->pre->sent.starttls != 0 && own_number(s) == s->pre->sent.starttls)
        starttls_answered(s);
    else
        heard(s);
    return MOVED;
}

/* --- login ------------------------------------------------------------------------------------ */

/* The relay begins when the login is accepted, the capabilities of this user are known and no own
 * command is unanswered, so that no late reply of ours reaches the client. */
static void hand_over(struct session *s)
{
    if (!s->pre->accepted || s->pre->sent.id != 0 || s->pre->sent.caps != 0 ||
        s->pre->sent.recaps != 0)
        return;
    if (!caps_known(&s->pre->caps_after) && !s->pre->asked_after) {
        s->pre->asked_after = true;
        s->pre->sent.recaps = login_command(s, "CAPABILITY");
        return;
    }
    if (caps_known(&s->pre->caps_after))
        note(s, LORE_AFTER_LOGIN, caps_words(&s->pre->caps_after));
    relay_enter(s, caps_known(&s->pre->caps_after) ? caps_words(&s->pre->caps_after)
                                                   : SLICE("IMAP4rev1"));
}

/* What we asked about capabilities before login; without an answer there is no way on. */
static void caps_answered(struct session *s)
{
    bool ok = s->pre->reply.status == STATUS_OK && caps_known(&s->pre->caps);

    s->pre->sent.caps = 0;
    heard(s);
    if (ok || s->pre->said_login)
        advance(s);
    else
        place_next(s, REFUSAL_unavailable, "does not say what it can do");
}

/* A tagged reply to one of our commands. */
static void own_reply(struct session *s, unsigned number)
{
    if (number == s->pre->sent.login) {
        s->pre->sent.login = 0;
        verdict_judge(s);
        if (s->pre->accepted) {
            learn(s);
            heard(s);
        }
    } else if (number == s->pre->sent.caps) {
        learn(s);
        caps_answered(s);
    } else {
        /* ID never breaks a login, whatever the answer (RFC 2971 section 3.1). */
        if (number == s->pre->sent.id)
            s->pre->sent.id = 0;
        else if (number == s->pre->sent.recaps)
            s->pre->sent.recaps = 0;
        heard(s);
        if (!s->pre->accepted)
            advance(s);
    }
    if (s->phase == PHASE_LOGIN)
        hand_over(s);
}

static void continuation(struct session *s)
{
    struct login_plan plan;

    if (s->pre->sent.login == 0) {
        heard(s); /* one that we do not wait for means nothing */
        return;
    }
    if (s->pre->login_part != PART_NONE) {
        heard(s);
        login_plan(s, &plan);
        login_continue(s, &plan);
        return;
    }
    if (challenge_relay(s))
        heard(s);
}

static void other_reply(struct session *s)
{
    if (s->pre->reply.kind == REPLY_CONTINUE) {
        continuation(s);
        return;
    }
    if (s->pre->reply.kind == REPLY_UNTAGGED && s->pre->reply.status == STATUS_BYE) {
        place_next(s, REFUSAL_unavailable, "said BYE during login");
        return;
    }
    if (s->pre->reply.kind == REPLY_UNTAGGED) {
        learn(s);
        if (s->pre->reply.status == STATUS_OK)
            verdict_alert(s, "OK");
        else if (s->pre->reply.status == STATUS_NO)
            verdict_alert(s, "NO");
    }
    heard(s);
}

enum step login_step(struct session *s)
{
    enum result result = hear(s);
    unsigned number;

    if (result != DONE)
        return waiting(result);
    number = own_number(s);
    if (number != 0)
        own_reply(s, number);
    else
        other_reply(s);
    return MOVED;
}
