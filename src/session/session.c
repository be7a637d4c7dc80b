/*
 * The session's spine: the phase table, the step loop, the only function that changes the phase
 * and the only one that ends a session. Owns what struct session owns; borrows configuration and
 * environment from the shell; never sees a socket, a clock or a thread.
 *
 * The table is the design: to explain a hang, point at the row.
 */
#include "session/phase.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum step drain_step(struct session *s);
static void drain_late(struct session *s);
static enum step closed_step(struct session *s);
static void never_late(struct session *s);

static const struct phase_row phase_table[] = {
    [PHASE_SECURE] = {"SECURE", secure_step, secure_late},
    [PHASE_COMMAND] = {"COMMAND", command_step, command_late},
    [PHASE_UPGRADE] = {"UPGRADE", upgrade_step, secure_late},
    [PHASE_SASL] = {"SASL", sasl_step, command_late},
    [PHASE_ROUTE] = {"ROUTE", route_step, never_late},
    [PHASE_PLACE] = {"PLACE", place_step, held_late},
    [PHASE_DIAL] = {"DIAL", dial_step, place_late},
    [PHASE_REDIAL] = {"REDIAL", redial_step, never_late},
    [PHASE_GREETING] = {"GREETING", greeting_step, place_late},
    [PHASE_STARTING] = {"STARTING", starting_step, place_late},
    [PHASE_LOGIN] = {"LOGIN", login_step, place_late},
    [PHASE_CHALLENGE] = {"CHALLENGE", challenge_step, command_late},
    [PHASE_RELAY] = {"RELAY", relay_step, relay_late},
    [PHASE_REFUSE] = {"REFUSE", refuse_step, refuse_late},
    [PHASE_DRAIN] = {"DRAIN", drain_step, drain_late},
    [PHASE_CLOSED] = {"CLOSED", closed_step, never_late},
};
static_assert(COUNT_OF(phase_table) == PHASE_COUNT, "one row per phase");

const char *session_phase_name(enum phase phase)
{
    return phase_table[phase].name;
}

static uint64_t random_seed(const unsigned char bytes[8])
{
    uint64_t seed = 0;

    for (size_t i = 0; i < 8; i++)
        seed = seed << 8 | bytes[i];
    return seed | 1; /* xorshift must not start at zero */
}

uint64_t session_random(struct session *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random;
}

bool session_init(struct session *s, const struct session_setup *setup, uint64_t now)
{
    struct str id;

    *s = (struct session){
        .env = setup->env,
        .conf = setup->conf,
        .listener = setup->listener,
        .lore = setup->lore,
        .gate = setup->gate,
        .load = setup->load,
        .counters = setup->counters,
        .now = now,
        .began = now,
        .active = now,
        .remote = setup->remote,
        .local = setup->local,
        .random = random_seed(setup->entropy + 8),
    };
    s->pre = calloc(1, sizeof(*s->pre));
    if (s->pre == NULL)
        return false;
    struct buf *bufs[] = {&s->client.in, &s->client.out, &s->backend.in, &s->backend.out};
    for (size_t i = 0; i < COUNT_OF(bufs); i++) {
        buf_init(bufs[i], setup->env->pool, LIMIT_BUF);
        bufs[i]->wipe = true;
    }
    id = STR_ON(s->id);
    for (size_t i = 0; i < SESSION_ID / 2; i++)
        str_addf(&id, "%02x", setup->entropy[i]);
    s->phase = PHASE_SECURE;
    s->deadline =
        now + (setup->listener->proxy_protocol.enabled ? setup->listener->proxy_protocol.timeout
                                                       : setup->conf->timeouts.handshake);
    s->login_until = now + setup->conf->timeouts.login;
    metric_add(&s->env->metrics->sessions_accepted, 1);
    metric_add(&s->env->metrics->sessions_open, 1);
    metric_add(&s->env->metrics->sessions_early, 1);
    return true;
}

void session_admitted(struct session *s)
{
    if (s->pre == NULL)
        return;
    credentials_clear(&s->pre->credentials);
    secret_clear(&s->pre->forwarded);
    caps_clear(&s->pre->caps);
    caps_clear(&s->pre->caps_after);
    ident_clear(&s->pre->ident);
    free(s->pre);
    s->pre = NULL;
    free(s->route);
    s->route = NULL;
}

void session_fini(struct session *s)
{
    gate_leave(s);
    session_admitted(s);
    free(s->user);
    free(s->login);
    buf_fini(&s->client.in);
    buf_fini(&s->client.out);
    buf_fini(&s->backend.in);
    buf_fini(&s->backend.out);
    metric_sub(&s->env->metrics->sessions_open, 1);
}

bool session_log(struct session *s, struct log_line *line, enum log_level level, const char *event)
{
    char text[ADDR_TEXT];

    if (!log_begin(line, s->env->log, level, event))
        return false;
    log_text(line, "sid", slice_str(s->id));
    log_text(line, "client", slice_str(addr_format(&s->remote, true, text)));
    return true;
}

void session_move(struct session *s, enum phase to, uint64_t deadline)
{
    struct log_line line;

    /* An ended session moves nowhere but on to CLOSED, whatever its caller had in mind. */
    if (s->phase == PHASE_DRAIN && to != PHASE_CLOSED)
        return;
    if (session_log(s, &line, LEVEL_DEBUG, "phase")) {
        log_text(&line, "from", slice_str(phase_table[s->phase].name));
        log_text(&line, "to", slice_str(phase_table[to].name));
        log_end(&line);
    }
    s->phase = to;
    s->deadline = deadline;
}

void session_tell(struct session *s, struct slice bytes)
{
    if (!buf_append(&s->client.out, bytes))
        session_fail(s, REASON_no_memory);
}

void session_say(struct session *s, const char *format, ...)
{
    char text[LIMIT_CAPS + 512];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    REQUIRE(n >= 0 && (size_t)n < sizeof(text));
    session_tell(s, slice_of(text, (size_t)n));
}

/* Whether a line of ours may be put into the stream to the client now. */
static bool client_listens(const struct session *s)
{
    if (!s->client.open || s->client.failed)
        return false;
    if (s->phase == PHASE_SECURE)
        return s->header_done && s->listener->tls == CONF_TLS_STARTTLS;
    if (s->phase == PHASE_UPGRADE)
        return false;
    if (s->phase == PHASE_RELAY)
        return track_safe(&s->track) && !s->track.saw_bye;
    return true;
}

static void log_end_of_session(struct session *s, bool told)
{
    const struct reason_row *row = &reason_table[s->reason];
    struct log_line line;

    if (!session_log(s, &line, row->level, "end"))
        return;
    log_text(&line, "reason", slice_str(row->name));
    log_text(&line, "phase", slice_str(phase_table[s->phase].name));
    if (s->user != NULL)
        log_text(&line, "user", slice_str(s->user));
    if (s->target != NULL)
        log_text(&line, "backend", slice_str(s->target->name));
    log_num(&line, "to_client", s->bytes_to_client);
    log_num(&line, "to_backend", s->bytes_to_backend);
    log_num(&line, "ms", s->now - s->began);
    log_text(&line, "bye", told ? SLICE("yes") : SLICE("no"));
    if (s->client.detail[0] != '\0')
        log_text(&line, "detail", slice_str(s->client.detail));
    else if (s->backend.failed && s->backend.detail[0] != '\0')
        log_text(&line, "detail", slice_str(s->backend.detail));
    log_text(&line, "text", slice_str(row->text));
    log_end(&line);
}

void session_fail(struct session *s, enum reason reason)
{
    const struct reason_row *row = &reason_table[reason];
    char storage[128];
    struct str bye = STR_ON(storage);
    bool told;

    if (s->phase == PHASE_DRAIN || s->phase == PHASE_CLOSED)
        return;
    s->reason = reason;
    metric_add(&s->env->metrics->sessions_ended[reason], 1);
    str_addf(&bye, "* BYE %s\r\n", row->bye == NULL ? "" : row->bye);
    told = row->bye != NULL && client_listens(s) && buf_append(&s->client.out, str_slice(&bye));
    log_end_of_session(s, told);
    if (s->phase == PHASE_RELAY)
        metric_sub(&s->env->metrics->sessions_relaying, 1);
    else
        metric_sub(&s->env->metrics->sessions_early, 1);
    if (s->phase != PHASE_RELAY)
        place_hang_up(s);
    gate_leave(s);
    if (s->pre != NULL)
        credentials_clear(&s->pre->credentials);
    session_move(s, PHASE_DRAIN, s->now + s->conf->timeouts.drain);
}

void session_leave(struct session *s, enum reason reason, uint64_t now)
{
    s->now = now;
    if (s->phase != PHASE_RELAY) {
        session_fail(s, reason);
        return;
    }
    if (s->leaving != REASON_none)
        return;
    s->leaving = reason;
    s->deadline = s->now + s->conf->timeouts.drain / 2;
}

void session_hurry(struct session *s, uint64_t now)
{
    if (s->phase == PHASE_RELAY && s->leaving != REASON_none)
        s->deadline = now;
}

static bool port_flushed(const struct port *port)
{
    return !port->open || port->failed || port_unsent(port) == 0;
}

static void drain_late(struct session *s)
{
    s->client.ask = ASK_HANGUP;
    s->backend.ask = ASK_HANGUP;
    session_move(s, PHASE_CLOSED, SESSION_NEVER);
}

void session_cut(struct session *s, enum reason reason, uint64_t now)
{
    s->now = now;
    session_fail(s, s->leaving != REASON_none ? s->leaving : reason);
    if (s->phase == PHASE_DRAIN)
        drain_late(s);
}

static enum step drain_step(struct session *s)
{
    if (!port_flushed(&s->client) || (s->backend.ask == 0 && !port_flushed(&s->backend)))
        return STILL;
    drain_late(s);
    return MOVED;
}

static enum step closed_step(struct session *s)
{
    UNUSED(s);
    return STILL;
}

static void never_late(struct session *s)
{
    s->deadline = SESSION_NEVER;
}

/* The client is gone, and nothing it sent is left to be carried out. While relaying, and where a
 * command is read, the phase itself knows better. */
static bool client_gone(struct session *s)
{
    if (s->phase == PHASE_DRAIN || s->phase == PHASE_CLOSED)
        return false;
    if (s->client.failed) {
        bool shaking = s->phase == PHASE_SECURE || s->phase == PHASE_UPGRADE;
        session_fail(s, shaking ? REASON_handshake_failed : REASON_client_reset);
        return true;
    }
    if (!s->client.eof || !buf_empty(&s->client.in) || s->phase == PHASE_RELAY)
        return false;
    session_fail(s, s->client.truncated ? REASON_client_truncated : REASON_client_closed);
    return true;
}

void session_step(struct session *s, uint64_t now)
{
    s->now = now;
    for (;;) {
        const struct phase_row *row = &phase_table[s->phase];
        if (client_gone(s))
            continue;
        if (now >= s->deadline)
            row->late(s);
        else if (row->step(s) == STILL)
            return;
    }
}

bool session_wants(const struct session *s, const struct port *port)
{
    if (s->phase == PHASE_DRAIN || s->phase == PHASE_CLOSED)
        return false;
    if (port == &s->backend || s->phase == PHASE_RELAY)
        return true;
    /* Before login a client may pipeline what one buffer block takes; the rest waits. */
    return buf_len(&s->client.in) < LIMIT_SASL_LINE + LIMIT_LINE;
}
