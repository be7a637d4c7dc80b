/*
 * From a user name to an open connection: routing, a place at one of the candidates, giving up on
 * one. Owns the route decision for the length of an attempt. A candidate is left for another only
 * while no credentials have been judged; a refusal is the business of refuse.c. Which candidate it
 * is to be now, the shell knows: its health, and where the user's other sessions are.
 */
#include "session/phase.h"

#include <stdlib.h>
#include <string.h>

#include "waypost/proxyhdr/build.h"

/* Every candidate of a decision has a bit in lease.tried. */
static_assert(LIMIT_CANDIDATES < 32, "one more stands for all others");
#define NONE_LEFT UINT32_MAX

static void close_backend(struct session *s)
{
    /* An ask that the shell has not taken on yet is simply withdrawn. */
    s->backend.ask = s->backend.busy ? ASK_HANGUP : 0;
}

void place_hang_up(struct session *s)
{
    close_backend(s);
    /* One that was told to wait may have something there already. */
    s->lease.ask = s->lease.held || s->lease.fact == LEASE_HELD || s->lease.ask == LEASE_RELEASE
                       ? LEASE_RELEASE
                       : LEASE_NO_ASK;
    s->lease.held = false;
    s->lease.fact = LEASE_UNKNOWN;
}

/* The last connection, and the lease it had, are still being closed. */
static bool still_closing(const struct session *s)
{
    return s->backend.busy || s->backend.ask != 0 || s->lease.ask != LEASE_NO_ASK;
}

void place_begin(struct session *s)
{
    s->pre->trouble = REFUSAL_unavailable;
    s->pre->judged_by_backend = s->pre->exchanged = s->pre->again = false;
    s->pre->referrals = 0;
    s->lease.failed = NULL;
    s->lease.tried = 0;
    s->pre->hold_until = s->now + s->conf->placement.hold;
    session_move(s, still_closing(s) ? PHASE_REDIAL : PHASE_ROUTE, SESSION_NEVER);
}

static void log_route(struct session *s)
{
    struct log_line line;

    if (!session_log(s, &line, LEVEL_DEBUG, "route"))
        return;
    log_text(&line, "user", slice_str(s->route->user));
    log_text(&line, "verdict", slice_str(route_verdict_name[s->route->verdict]));
    if (s->route->verdict == ROUTE_TO)
        log_text(&line, "target", slice_str(s->route->target));
    log_end(&line);
}

/* The login has come through so many proxies that they must be going in circles. */
static bool in_a_loop(struct session *s)
{
    struct log_line line;

    if (!s->pre->ident.has_ttl || s->pre->ident.ttl > 1)
        return false;
    if (session_log(s, &line, LEVEL_ERROR, "proxy_loop")) {
        log_text(&line, "why", SLICE("x-proxy-ttl of the client's ID has run out"));
        log_end(&line);
    }
    refuse_login(s, REFUSAL_serverbug);
    return true;
}

/* Decides once for each attempt. False when there is nowhere to go; then the refusal is on its
 * way. No route looks like a wrong password, a look-up that failed does not. */
static bool decide(struct session *s)
{
    struct slice authzid = secret_reveal(&s->pre->credentials.authzid);
    struct route_query query = {
        /* The identity that will be logged in. */
        .user = authzid.len > 0 ? authzid : secret_reveal(&s->pre->credentials.authcid),
        .listener = slice_str(s->listener->name),
        .sni = slice_str(s->client.sni),
        .client = &s->remote,
        .turn = s->env->turn++,
        .load = s->load,
    };

    if (in_a_loop(s))
        return false;
    s->route = malloc(sizeof(*s->route));
    if (s->route == NULL) {
        session_fail(s, REASON_no_memory);
        return false;
    }
    route_decide(s->conf->routes, &query, s->route, NULL, NULL);
    log_route(s);
    if (s->route->verdict == ROUTE_TO) {
        free(s->user);
        s->user = strdup(s->route->user);
        return true;
    }
    refuse_login(s, s->route->verdict == ROUTE_UNAVAILABLE ? REFUSAL_unavailable
                                                           : REFUSAL_authentication);
    return false;
}

/* A new connection begins without anything the last one showed. */
static void forget_dialogue(struct session *s)
{
    caps_clear(&s->pre->caps);
    caps_clear(&s->pre->caps_after);
    reply_reset(&s->pre->reply);
    s->pre->sent = (struct session_sent){.starttls = 0};
    s->pre->said_id = s->pre->said_login = s->pre->asked_after = s->pre->accepted =
        s->pre->cancelled = false;
    s->pre->outdated = false;
    s->pre->login_part = 0;
}

static void dial(struct session *s)
{
    buf_drop(&s->backend.in, buf_len(&s->backend.in));
    buf_drop(&s->backend.out, buf_len(&s->backend.out));
    forget_dialogue(s);
    s->backend.ask = ASK_OPEN;
    s->backend_until = s->now + s->conf->timeouts.backend_connect;
    session_move(s, PHASE_DIAL, s->backend_until);
}

static void ask_for_a_place(struct session *s)
{
    s->lease.ask = LEASE_PLACE;
    session_move(s, PHASE_PLACE, SESSION_NEVER);
}

enum step route_step(struct session *s)
{
    if (s->route == NULL && !decide(s))
        return MOVED;
    if (s->lease.held)
        dial(s); /* once more */
    else if (s->lease.tried == NONE_LEFT)
        refuse_login(s, s->pre->trouble);
    else
        ask_for_a_place(s);
    return MOVED;
}

/* A backend that is none of the candidates is where the user's other sessions are: he may be sent
 * there again only for as long as a login may be held. */
static void take_place(struct session *s)
{
    const struct route_decision *route = s->route;
    size_t i = 0;

    s->target = s->lease.backend;
    s->lease.held = true;
    s->lease.committed = false;
    while (i < route->candidate_count && route->candidates[i] != s->target)
        i++;
    if (i < route->candidate_count)
        s->lease.tried |= UINT32_C(1) << i;
    dial(s);
}

static void give_up_waiting(struct session *s)
{
    struct log_line line;

    if (session_log(s, &line, LEVEL_WARN, "held_too_long")) {
        log_text(&line, "user", slice_str(s->route->user));
        log_text(&line, "target", slice_str(s->route->target));
        log_end(&line);
    }
    place_hang_up(s);
    refuse_login(s, REFUSAL_unavailable);
}

enum step place_step(struct session *s)
{
    if (s->lease.ask != LEASE_NO_ASK)
        return STILL;
    switch (s->lease.fact) {
    case LEASE_UNKNOWN:
        break;
    case LEASE_PLACED:
        take_place(s);
        return MOVED;
    case LEASE_HELD:
        s->deadline = s->lease.until < s->pre->hold_until ? s->lease.until : s->pre->hold_until;
        break;
    case LEASE_FAILED:
        refuse_login(s, s->pre->trouble);
        return MOVED;
    }
    return STILL;
}

void held_late(struct session *s)
{
    s->lease.failed = NULL; /* it has been told */
    if (s->now >= s->pre->hold_until)
        give_up_waiting(s);
    else
        ask_for_a_place(s);
}

/* The PROXY header stands before everything, TLS included (proxy-protocol.txt section 2). */
static bool add_proxy_header(struct session *s)
{
    char storage[PROXYHDR_BUILT_MAX + 1];
    struct str header = STR_ON(storage);
    struct proxyhdr_facts facts = {
        .version = s->target->proxy_header == CONF_PROXY_V1 ? 1 : 2,
        .source = &s->remote,
        .destination = &s->local,
        .tls = s->client.secure,
        .tls_version = s->client.tls_version,
        .tls_cipher = s->client.tls_cipher,
        .tls_cn = s->client.cert_name,
        .verified = s->client.cert_name != NULL || s->client.cert_email != NULL,
        .authority = s->client.sni,
        .alpn = s->client.alpn,
        .unique_id = slice_str(s->id),
    };

    if (s->target->proxy_header == CONF_PROXY_NONE)
        return true;
    return proxyhdr_build(&facts, &header) && buf_append(&s->backend.out, str_slice(&header));
}

enum step dial_step(struct session *s)
{
    /* Until the shell has taken the ask on, the facts are those of an earlier connection. */
    if (s->backend.ask != 0)
        return STILL;
    if (s->backend.failed) {
        place_next(s, REFUSAL_none, s->backend.detail);
        return MOVED;
    }
    if (!s->backend.open)
        return STILL;
    if (!add_proxy_header(s)) {
        session_fail(s, REASON_no_memory);
        return MOVED;
    }
    if (s->target->tls == CONF_TLS_IMPLICIT)
        s->backend.ask = ASK_TLS;
    s->backend_until = s->now + s->conf->timeouts.backend_login;
    session_move(s, PHASE_GREETING, s->backend_until);
    return MOVED;
}

enum step redial_step(struct session *s)
{
    if (still_closing(s))
        return STILL;
    session_move(s, PHASE_ROUTE, SESSION_NEVER);
    return MOVED;
}

/* What a broken connection says about who is to blame. */
static enum refusal blame(const struct session *s)
{
    return s->backend.failed && s->backend.failure == PORT_TLS_VERIFY ? REFUSAL_serverbug
                                                                      : REFUSAL_unavailable;
}

/* Only what happened before anything of this client's was sent says something about the backend:
 * what comes later could be brought about by a client. What this machine lacks says nothing. */
static void missed(struct session *s, const char *why)
{
    bool silent;

    if (s->backend.failed && port_failure_is_ours(s->backend.failure))
        return;
    if (s->phase != PHASE_DIAL && s->phase != PHASE_GREETING && s->phase != PHASE_STARTING)
        return;
    silent = s->now >= s->deadline || (s->backend.failed && s->backend.failure == PORT_UNREACHABLE);
    s->lease.news = silent ? LEASE_SILENT : LEASE_MISSED;
    s->lease.why = why;
}

void place_reached(struct session *s)
{
    s->lease.news = LEASE_REACHED;
}

void place_next(struct session *s, enum refusal trouble, const char *why)
{
    struct log_line line;

    s->pre->trouble = trouble != REFUSAL_none ? trouble : blame(s);
    s->lease.failed = s->target;
    if (s->now >= s->pre->hold_until)
        s->lease.tried = NONE_LEFT;
    missed(s, why);
    tally_failure(s);
    if (session_log(s, &line, LEVEL_WARN, "backend_failed")) {
        log_text(&line, "backend", slice_str(s->target->name));
        log_text(&line, "phase", slice_str(session_phase_name(s->phase)));
        log_text(&line, "why", slice_str(why));
        if (s->backend.detail[0] != '\0' && why != s->backend.detail)
            log_text(&line, "detail", slice_str(s->backend.detail));
        log_end(&line);
    }
    place_hang_up(s);
    session_move(s, PHASE_REDIAL, SESSION_NEVER);
}

void place_commit(struct session *s)
{
    s->lease.tried = NONE_LEFT;
}

void place_again(struct session *s)
{
    s->pre->again = true;
    close_backend(s);
    session_move(s, PHASE_REDIAL, SESSION_NEVER);
}

void place_refer(struct session *s, const struct conf_backend *to, struct slice login)
{
    struct log_line line;

    if (session_log(s, &line, LEVEL_INFO, "referred")) {
        log_text(&line, "from", slice_str(s->target->name));
        log_text(&line, "to", slice_str(to->name));
        log_end(&line);
    }
    if (login.len > 0) {
        struct str name = STR_ON(s->route->login);
        str_add(&name, login);
    }
    s->route->candidates[0] = to;
    s->route->candidate_count = 1;
    s->lease.tried = 0;
    place_hang_up(s);
    session_move(s, PHASE_REDIAL, SESSION_NEVER);
}

void place_late(struct session *s)
{
    place_next(s, REFUSAL_unavailable, "no answer in time");
}
