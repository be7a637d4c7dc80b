/*
 * The logged-in session: client.in -> backend.out and backend.in -> client.out, each past the
 * tracker, which says where lines end and what may not pass. A byte is moved, not looked at twice;
 * whole blocks are handed over. Never parses what it need not, never holds bytes of its own.
 */
#include "session/phase.h"

#include <stdlib.h>
#include <string.h>

static void log_login(struct session *s)
{
    struct log_line line;

    if (!session_log(s, &line, LEVEL_INFO, "login"))
        return;
    log_text(&line, "user", slice_str(s->user == NULL ? "" : s->user));
    log_text(&line, "login", slice_str(s->route->login));
    log_text(&line, "backend", slice_str(s->target->name));
    log_text(&line, "listener", slice_str(s->listener->name));
    if (s->client.tls_version != NULL)
        log_text(&line, "tls", slice_str(s->client.tls_version));
    if (s->client.tls_cipher != NULL)
        log_text(&line, "cipher", slice_str(s->client.tls_cipher));
    log_num(&line, "ms", s->now - s->pre->attempt_began);
    log_end(&line);
}

/* Nothing is compressed before a backend that takes UNAUTHENTICATE. */
static char *const blinding[] = {"COMPRESS=*"};

/* The tagged OK, for both kinds of clients: those that asked CAPABILITY believe the untagged list,
 * the others the code (RFC 9051 section 7.1). */
static void say_logged_in(struct session *s, struct slice caps)
{
    char all[LIMIT_CAPS], storage[LIMIT_CAPS];
    struct str open = STR_ON(all), seen = STR_ON(storage);
    struct slice tag = slice_of(s->pre->tag, s->pre->tag_len);

    caps_filter(caps, blinding, s->track.guarded ? COUNT_OF(blinding) : 0, &open);
    caps_filter(str_slice(&open), s->target->hide_capabilities, s->target->hide_count, &seen);
    if (s->pre->asked_capability)
        session_say(s, "* CAPABILITY %s\r\n%.*s OK Logged in.\r\n", storage, SLICE_ARG(tag));
    else
        session_say(s, "%.*s OK [CAPABILITY %s] Logged in.\r\n", SLICE_ARG(tag), storage);
}

void relay_enter(struct session *s, struct slice caps)
{
    struct buf *bufs[] = {&s->client.in, &s->client.out, &s->backend.in, &s->backend.out};
    const char *login = s->route->login;

    if (!gate_admit(s))
        return;
    track_init(&s->track);
    s->track.landed = tally_landing;
    s->track.guarded = caps_has(&s->pre->caps_after, SLICE("UNAUTHENTICATE"));
    say_logged_in(s, caps);
    if (s->phase != PHASE_LOGIN)
        return; /* no memory even for that */
    log_login(s);
    if (s->user != NULL && strcmp(s->user, login) != 0)
        s->login = strdup(login);
    session_admitted(s);
    for (size_t i = 0; i < COUNT_OF(bufs); i++)
        bufs[i]->wipe = false;
    tally_login(s);
    metric_sub(&s->env->metrics->sessions_early, 1);
    metric_add(&s->env->metrics->sessions_relaying, 1);
    session_move(s, PHASE_RELAY, s->now + s->conf->timeouts.idle);
}

static void stay_awake(struct session *s)
{
    s->active = s->now;
    /* Somebody who is leaving already does not get more time by being busy. */
    if (s->leaving != REASON_none || s->client.eof)
        return;
    s->deadline = s->now + s->conf->timeouts.idle;
    if (s->part_at != 0 && !s->parted && s->part_at < s->deadline)
        s->deadline = s->part_at;
}

/* Moves n bytes that the tracker has judged; they must all go, or framing would be lost. */
static bool pass(struct session *s, struct buf *to, struct buf *from, size_t n)
{
    if (buf_move(to, from, n) == n)
        return true;
    session_fail(s, REASON_no_memory);
    return false;
}

/* A whole line with capabilities: the client sees it without what a proxy cannot carry. */
static void pass_caps(struct session *s, size_t len)
{
    char all[LIMIT_CAPS_LINE + 1], storage[LIMIT_CAPS_LINE + 1];
    struct str open = STR_ON(all), line = STR_ON(storage);

    caps_filter_line(slice_take(buf_bytes(&s->backend.in), len), blinding,
                     s->track.guarded ? COUNT_OF(blinding) : 0, &open);
    caps_filter_line(str_slice(&open), s->target->hide_capabilities, s->target->hide_count, &line);
    ENSURE(!line.overflow);
    session_tell(s, str_slice(&line));
    buf_drop(&s->backend.in, len);
    tally_to_client(s, line.len);
}

/* What the backend sends cannot be framed: it is relayed all the same, but nothing of ours is put
 * between its bytes any more. Where commands must be watched that is not good enough. */
static void go_opaque(struct session *s)
{
    struct log_line line;

    if (s->track.guarded) {
        session_fail(s, REASON_backend_framing);
        return;
    }
    s->track.opaque = true;
    if (!session_log(s, &line, LEVEL_WARN, "framing_lost"))
        return;
    log_text(&line, "backend", slice_str(s->target->name));
    log_end(&line);
}

/* --- parting from a backend ------------------------------------------------------------------- */

/* A client that waits for nothing, and has not been told to go. */
static bool unaware(const struct session *s)
{
    return !s->parted && s->leaving == REASON_none && !s->client.eof && session_resting(s) &&
           !s->track.saw_logout && !s->track.saw_bye;
}

static void draw_parting(struct session *s)
{
    uint64_t window = s->conf->timeouts.backend_lost;

    s->part_at = s->now + 1 + (window > 0 ? session_random(s) % window : 0);
    s->deadline = s->part_at < s->deadline ? s->part_at : s->deadline;
}

/* The backend ends this session, and perhaps those of all its clients in the same moment: so that
 * they do not all come back in the next, a client that waits for nothing learns of it a little
 * later. True while it shall not know. */
static bool parts_later(struct session *s)
{
    if (s->conf->timeouts.backend_lost == 0 || !unaware(s))
        return false;
    if (s->part_at == 0)
        draw_parting(s);
    return s->now < s->part_at;
}

/* It lives: a session that was doubted goes on. */
static void trust(struct session *s)
{
    if (!s->doubted)
        return;
    s->part_at = 0;
    s->doubted = false;
    stay_awake(s);
}

void session_doubt(struct session *s, bool dead, uint64_t now)
{
    s->now = now;
    if (s->phase != PHASE_RELAY)
        return;
    if (!dead) {
        trust(s);
    } else if (s->part_at == 0 && unaware(s)) {
        s->doubted = true;
        draw_parting(s);
    }
}

static void part(struct session *s)
{
    s->parted = true;
    s->deadline = s->now + s->conf->timeouts.idle;
    if (s->doubted && !s->backend.failed && !s->backend.eof)
        session_fail(s, REASON_backend_lost);
}

/* --- both directions -------------------------------------------------------------------------- */

static enum step to_client(struct session *s)
{
    enum step step = STILL;

    /* With less room than that a capability line might not fit when the tracker finds one. */
    while (s->phase == PHASE_RELAY && buf_room(&s->client.out) >= LIMIT_CAPS_LINE) {
        struct track_span span =
            track_backend(&s->track, buf_bytes(&s->backend.in), buf_room(&s->client.out));
        if (span.verdict == TRACK_LOST) {
            go_opaque(s);
            continue;
        }
        if (span.verdict == TRACK_BYE) {
            if (parts_later(s))
                break;
            s->track.keep_bye = false;
            continue;
        }
        if (span.len == 0)
            break;
        if (span.verdict == TRACK_CAPS)
            pass_caps(s, span.len);
        else if (pass(s, &s->client.out, &s->backend.in, span.len))
            tally_to_client(s, span.len);
        step = MOVED;
    }
    return step;
}

/* The client's command went no further than here; it is told so between two replies. */
static enum step answer_refused(struct session *s)
{
    struct log_line line;

    if (!track_safe(&s->track) || buf_room(&s->client.out) < LIMIT_LINE)
        return STILL;
    session_say(s, "%.*s BAD Command is not available here.\r\n", (int)s->track.refused_tag_len,
                s->track.refused_tag);
    s->owes_refusal = false;
    if (session_log(s, &line, LEVEL_WARN, "command_refused")) {
        log_text(&line, "user", slice_str(s->user == NULL ? "" : s->user));
        log_end(&line);
    }
    return MOVED;
}

static enum step to_backend(struct session *s)
{
    enum step step = STILL;

    while (s->phase == PHASE_RELAY) {
        if (s->owes_refusal && answer_refused(s) == STILL)
            break;
        struct track_span span =
            track_client(&s->track, buf_bytes(&s->client.in), buf_room(&s->backend.out));
        if (span.verdict == TRACK_REFUSE) {
            buf_drop(&s->client.in, span.len);
            s->owes_refusal = s->track.refused_tag_len > 0;
        } else if (span.verdict == TRACK_LOST) {
            session_fail(s, REASON_client_framing);
        } else if (span.verdict == TRACK_HOLD || span.len == 0) {
            break;
        } else if (pass(s, &s->backend.out, &s->client.in, span.len)) {
            tally_to_backend(s, span.len);
        }
        step = MOVED;
    }
    return step;
}

/* Nothing more of the backend's can be passed on: all of it was, or its last line broke off. */
static bool backend_exhausted(const struct session *s, enum step step)
{
    return buf_empty(&s->backend.in) ||
           (step == STILL && buf_room(&s->client.out) >= LIMIT_CAPS_LINE);
}

/* The backend is done: what the client still gets depends on whether it was told already. */
static enum step backend_ended(struct session *s)
{
    if (s->backend.failed)
        session_fail(s, REASON_backend_reset);
    else
        session_fail(s, s->track.saw_logout && s->track.saw_bye ? REASON_logout
                                                                : REASON_backend_closed);
    return MOVED;
}

/* The client sends no more, but may wait for answers to what it sent. */
static enum step client_ended(struct session *s)
{
    bool whole = track_client_at_command(&s->track) || !buf_empty(&s->client.in);

    if (s->track.in_flight > 0 && whole) {
        uint64_t until = s->now + s->conf->timeouts.drain;
        if (s->deadline > until)
            s->deadline = until;
        return STILL;
    }
    session_fail(s, s->client.truncated ? REASON_client_truncated : REASON_client_closed);
    return MOVED;
}

/* IDLE waits by nature. */
bool session_resting(const struct session *s)
{
    unsigned waiting = s->track.idling ? 1 : 0;
    return s->phase == PHASE_RELAY && track_safe(&s->track) && s->track.in_flight <= waiting;
}

enum step relay_step(struct session *s)
{
    enum step step;

    s->track.now = s->now;
    s->track.keep_bye = !s->parted;
    step = to_client(s);
    if (step == MOVED)
        trust(s);
    if (s->phase == PHASE_RELAY && to_backend(s) == MOVED)
        step = MOVED;
    if (s->phase != PHASE_RELAY)
        return MOVED;
    if (step == MOVED)
        stay_awake(s);
    if ((s->backend.failed || s->backend.eof) && backend_exhausted(s, step) && !parts_later(s))
        return backend_ended(s);
    /* Asked to leave: at once between two replies, at the deadline otherwise. */
    if (s->leaving != REASON_none && session_resting(s)) {
        session_fail(s, s->leaving);
        return MOVED;
    }
    if (s->client.eof && step == STILL)
        return client_ended(s);
    return step;
}

void relay_late(struct session *s)
{
    if (s->leaving != REASON_none)
        session_fail(s, s->leaving);
    else if (s->client.eof)
        session_fail(s, REASON_client_closed);
    else if (s->part_at != 0 && s->now >= s->part_at && !s->parted)
        part(s);
    else
        session_fail(s, REASON_idle_timeout);
}
