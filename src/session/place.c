/*
 * From a user name to an open connection: routing, candidates in turn, giving up on one. Owns the
 * route decision for the length of an attempt. A candidate is left for the next one only while no
 * credentials have been judged; a refusal is the business of auth.c.
 */
#include "session/phase.h"

#include <stdlib.h>
#include <string.h>

#include "waypost/proxyhdr/build.h"

void place_hang_up(struct session *s)
{
    /* An ask that the shell has not taken on yet is simply withdrawn. */
    s->backend.ask = s->backend.busy ? ASK_HANGUP : 0;
}

void place_begin(struct session *s)
{
    s->trouble = REFUSAL_unavailable;
    s->judged_by_backend = s->exchanged = s->again = false;
    s->referrals = 0;
    /* The last attempt's connection may still be closing. */
    session_move(s, s->backend.busy ? PHASE_REDIAL : PHASE_ROUTE, SESSION_NEVER);
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

    if (!s->ident.has_ttl || s->ident.ttl > 1)
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
    struct slice authzid = secret_reveal(&s->credentials.authzid);
    struct route_query query = {
        /* The identity that will be logged in. */
        .user = authzid.len > 0 ? authzid : secret_reveal(&s->credentials.authcid),
        .listener = slice_str(s->listener->name),
        .sni = slice_str(s->client.sni),
        .client = &s->remote,
        .turn = s->env->turn++,
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
    s->candidate = 0;
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
    caps_clear(&s->caps);
    caps_clear(&s->caps_after);
    reply_reset(&s->reply);
    s->sent = (struct session_sent){.starttls = 0};
    s->said_id = s->said_login = s->asked_after = s->accepted = s->cancelled = false;
    s->outdated = false;
    s->login_part = 0;
}

enum step route_step(struct session *s)
{
    if (s->route == NULL && !decide(s))
        return MOVED;
    if (s->candidate == s->route->candidate_count) {
        refuse_login(s, s->trouble);
        return MOVED;
    }
    s->target = s->route->candidates[s->candidate++];
    buf_drop(&s->backend.in, buf_len(&s->backend.in));
    buf_drop(&s->backend.out, buf_len(&s->backend.out));
    forget_dialogue(s);
    s->backend.ask = ASK_OPEN;
    s->backend_until = s->now + s->conf->timeouts.backend_connect;
    session_move(s, PHASE_DIAL, s->backend_until);
    return MOVED;
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
    if (s->backend.busy || s->backend.ask != 0)
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

void place_next(struct session *s, enum refusal trouble, const char *why)
{
    struct log_line line;

    s->trouble = trouble != REFUSAL_none ? trouble : blame(s);
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
    s->route->candidate_count = s->candidate;
}

void place_again(struct session *s)
{
    s->again = true;
    s->candidate--;
    place_hang_up(s);
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
    s->candidate = 0;
    place_hang_up(s);
    session_move(s, PHASE_REDIAL, SESSION_NEVER);
}

void place_late(struct session *s)
{
    place_next(s, REFUSAL_unavailable, "no answer in time");
}
