/*
 * The backend's verdict on a login (RFC 5530 section 3, RFC 2221): which NO is a wrong password,
 * which an outage, which the backend's own message to its user, which a referral to another backend
 * of the table. Never retries credentials that were judged, never passes a referral to a client.
 */
#include "session/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "waypost/imap/referral.h"

static bool one_line(struct slice text)
{
    return slice_find(text, '\r') == text.len && slice_find(text, '\n') == text.len;
}

/* An ALERT must reach the user (RFC 9051 section 7.1), but only from a backend that TLS vouches
 * for. */
void verdict_alert(struct session *s, const char *status)
{
    struct slice text = s->pre->reply.text;

    if (!slice_eq_nocase(reply_code_name(&s->pre->reply), SLICE("ALERT")))
        return;
    if (!s->backend.secure || !one_line(text))
        return;
    session_say(s, "* %s [ALERT] ", status);
    session_tell(s, text);
    session_say(s, "\r\n");
}

static void log_verdict(struct session *s, const char *why)
{
    struct log_line line;

    if (!session_log(s, &line, LEVEL_WARN, "backend_failed"))
        return;
    log_text(&line, "backend", slice_str(s->target->name));
    log_text(&line, "phase", slice_str(session_phase_name(s->phase)));
    log_text(&line, "why", slice_str(why));
    log_text(&line, "code", reply_code_name(&s->pre->reply));
    log_end(&line);
}

static void accepted(struct session *s)
{
    s->pre->accepted = true;
    verdict_alert(s, "OK");
    credentials_clear(&s->pre->credentials);
    place_commit(s);
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
    str_add(&text, s->pre->reply.code);
    str_add(&text, SLICE("] "));
    str_add(&text, s->pre->reply.text);
    if (!text.overflow && one_line(str_slice(&text)) &&
        secret_set(&s->pre->forwarded, str_slice(&text)))
        refuse_login(s, REFUSAL_forwarded);
    else
        refuse_login(s, REFUSAL_serverbug);
    free(memory);
}

static const struct conf_backend *find_backend(const struct session *s,
                                               const struct referral *referral)
{
    const struct conf_routes *routes = s->conf->routes;

    for (size_t i = 0; i < routes->backend_count; i++) {
        const struct conf_backend *backend = &routes->backends[i];
        if (slice_eq_nocase(slice_str(backend->host), slice_str(referral->host)) &&
            (referral->port == 0 || referral->port == backend->port))
            return backend;
    }
    return NULL;
}

/* The backend says where the user lives now. Followed only to a backend of the table, a few times;
 * the client never hears of it (RFC 2221 would let any backend send it anywhere). */
static void referred(struct session *s)
{
    struct referral referral;
    const struct conf_backend *backend;

    if (s->pre->exchanged) {
        log_verdict(s, "refers the user in the middle of an exchange");
    } else if (!referral_parse(s->pre->reply.code, &referral)) {
        log_verdict(s, "refers the user by something that is no IMAP URL");
    } else if ((backend = find_backend(s, &referral)) == NULL) {
        log_verdict(s, "refers the user to a server that is not in the table");
    } else if (++s->pre->referrals > LIMIT_REFERRALS) {
        log_verdict(s, "refers the user once too often");
    } else {
        place_refer(s, backend, slice_str(referral.user));
        return;
    }
    refuse_login(s, REFUSAL_unavailable);
}

/* A NO without a code could tell whether the user exists, so it counts as a wrong password. */
static void refused(struct session *s)
{
    struct slice code = reply_code_name(&s->pre->reply);

    if (code.len == 0 || slice_eq_nocase(code, SLICE("AUTHENTICATIONFAILED"))) {
        s->pre->judged_by_backend = true;
        refuse_login(s, REFUSAL_authentication);
    } else if (slice_eq_nocase(code, SLICE("UNAVAILABLE"))) {
        place_next(s, REFUSAL_unavailable, "answered NO [UNAVAILABLE]");
    } else if (slice_eq_nocase(code, SLICE("SERVERBUG"))) {
        log_verdict(s, "answered NO [SERVERBUG]");
        refuse_login(s, REFUSAL_serverbug);
    } else if (slice_eq_nocase(code, SLICE("REFERRAL"))) {
        referred(s);
    } else {
        forward_refusal(s);
    }
}

/* The backend refused the form of the login, which was chosen by a list that it has shown to be
 * outdated: nothing about the credentials is said yet. Once only: by then the list is fresh. */
static bool was_misled(const struct session *s)
{
    bool form = s->pre->reply.status == STATUS_BAD ||
                slice_eq_nocase(reply_code_name(&s->pre->reply), SLICE("CANNOT"));

    return form && s->pre->outdated && !s->pre->again && !s->pre->exchanged;
}

void verdict_judge(struct session *s)
{
    s->lease.committed = s->pre->reply.status == STATUS_OK;
    if (s->pre->reply.status == STATUS_OK && !s->pre->cancelled) {
        accepted(s);
    } else if (was_misled(s)) {
        place_again(s);
    } else if (s->pre->cancelled) {
        /* Whatever the backend makes of it, the client has given up (RFC 9051 section 6.2.2). */
        refuse_cancelled(s);
    } else if (s->pre->reply.status == STATUS_NO) {
        refused(s);
    } else {
        /* BAD is about our syntax, not about the password (RFC 9051 section 7.1.3). */
        log_verdict(s, "answered the login with BAD");
        refuse_login(s, REFUSAL_serverbug);
    }
}
