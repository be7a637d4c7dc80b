/*
 * Runs one connection: every callback of streams, dial and timer deposits what happened and calls
 * conn_run, which steps the session, performs its asks, pumps both streams until nothing moves, and
 * then recomputes what to read and when to wake. Owns all of it and one reference to a generation;
 * freed by the timer's close callback, which is the last one. Never frees beneath a callback and
 * never decides anything about IMAP.
 */
#include "run/conn.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "run/seat.h"
#include "waypost/net/outgoing.h"
#include "waypost/net/socket.h"
#include "waypost/net/stream.h"

struct conn {
    struct list node;              /* in home->conns */
    struct list early;             /* in home->early, until somebody has logged in */
    struct list queued;            /* in home->turnstile, while a handshake waits */
    uint64_t number;               /* 1 for the first that home accepted; ascending in the list */
    struct conn_home *home;        /* borrowed */
    struct generation *generation; /* one reference */
    struct session session;
    struct stream client;
    struct outgoing backend;
    struct seat seat; /* at the backend */
    uv_timer_t timer;
    uint64_t timer_at; /* SESSION_NEVER: not running */
    bool running;      /* conn_run is on the stack */
    bool impatient;    /* nobody is waited for any more */
    bool ending;       /* the timer is being closed: nothing else is left */
};

static void conn_run(struct conn *c);

static bool shaking(const struct stream *s)
{
    return s->state == STREAM_OPEN && s->tls != NULL && !s->port->secure && !s->port->failed;
}

/* A handshake waits for its turn, and does not read on meanwhile. */
static void on_wake(void *ctx)
{
    struct conn *c = ctx;
    struct turnstile *turnstile = c->home->turnstile;
    struct stream *s = shaking(&c->client) ? &c->client : &c->backend.stream;

    if (turnstile == NULL || !shaking(s) || (!turnstile_free(turnstile) && !stream_settle(s, true)))
        conn_run(c);
    else
        turnstile_queue(turnstile, &c->queued);
}

void conn_pass(struct list *node)
{
    conn_run(container_of(node, struct conn, queued));
}

/* --- asks ------------------------------------------------------------------------------------- */

/* Only once everything said in clear is on its way. */
static bool begin_tls(struct conn *c, struct stream *s)
{
    struct tls_set *set = c->generation->tls;

    if (s->state == STREAM_OPEN && !s->port->failed) {
        (void)stream_pump(s);
        if (!buf_empty(&s->port->out))
            return false;
        stream_secure(s, s == &c->client ? tls_engine_server(set)
                                         : tls_engine_backend(set, c->session.target));
    }
    s->port->ask &= ~(unsigned)ASK_TLS;
    return true;
}

static bool hang_up(struct conn *c, struct stream *s)
{
    bool lingers = session_closed(&c->session) && !c->impatient;

    s->port->ask = 0;
    return s == &c->client ? stream_hangup(s, lingers ? CONN_LINGER_MS : 0)
                           : outgoing_hangup(&c->backend, lingers ? CONN_LINGER_MS : 0);
}

/* True when the session should look at its ports again. */
static bool perform(struct conn *c, struct stream *s)
{
    unsigned ask = s->port->ask;

    if ((ask & ASK_HANGUP) != 0)
        return hang_up(c, s);
    if ((ask & ASK_OPEN) != 0) {
        s->port->ask &= ~(unsigned)ASK_OPEN;
        outgoing_open(&c->backend, c->session.target, c->session.conf->keepalive.backend);
        return true;
    }
    return (ask & ASK_TLS) != 0 && begin_tls(c, s);
}

/* --- the run ---------------------------------------------------------------------------------- */

/* A relayed stream is read only while the other one has nothing left to send: what a peer that
 * stopped reading costs is the one block it was being sent. */
static bool wants(const struct conn *c, const struct stream *s)
{
    const struct session *session = &c->session;
    const struct port *peer = s == &c->client ? &session->backend : &session->client;

    if (session->phase == PHASE_RELAY && port_unsent(peer) > 0)
        return false;
    return session_wants(session, s->port);
}

static bool settle(struct conn *c, struct stream *s)
{
    if (c->session.phase == PHASE_RELAY)
        stream_wipe(s, false); /* credentials are behind us; a kept secret would cost every byte */
    return stream_settle(s, wants(c, s));
}

static uint64_t earliest(const struct conn *c)
{
    uint64_t at = c->session.deadline;

    if (c->client.deadline < at)
        at = c->client.deadline;
    return c->backend.stream.deadline < at ? c->backend.stream.deadline : at;
}

static void on_timer(uv_timer_t *timer)
{
    struct conn *c = container_of(timer, struct conn, timer);

    c->timer_at = SESSION_NEVER;
    conn_run(c);
}

/* Only ever moved earlier: a deadline that has moved on is found out when the timer fires. */
static void arm(struct conn *c)
{
    uint64_t at = earliest(c), now = uv_now(c->home->loop);

    if (at >= c->timer_at)
        return;
    c->timer_at = at;
    uv_timer_start(&c->timer, on_timer, at > now ? at - now : 0, 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct conn *c = container_of(handle, struct conn, timer);
    struct conn_home *home = c->home;

    seat_leave(&c->seat, home->seating, c->generation->conf, uv_now(home->loop));
    session_fini(&c->session);
    generation_release(&c->generation);
    list_unlink(&c->node);
    list_unlink(&c->early);
    home->count--;
    free(c);
    home->gone(home);
}

static void conn_run(struct conn *c)
{
    uint64_t now = uv_now(c->home->loop);
    bool moved;

    REQUIRE(!c->running && !c->ending);
    c->running = true;
    stream_expire(&c->client, now);
    stream_expire(&c->backend.stream, now);
    do {
        session_step(&c->session, now);
        moved = seat_obey(&c->seat, c->home->seating, c->generation, &c->session.lease,
                          c->session.route, &c->session.backend, now);
        moved |= perform(c, &c->client);
        moved |= perform(c, &c->backend.stream);
        moved |= stream_pump(&c->client);
        moved |= stream_pump(&c->backend.stream);
        if (!moved)
            moved = !settle(c, &c->client) || !settle(c, &c->backend.stream);
    } while (moved);
    c->running = false;
    if (c->session.phase == PHASE_RELAY)
        seat_settle(&c->seat, c->home->seating);
    if (!session_early(&c->session))
        list_unlink(&c->early);
    if (session_closed(&c->session) && !c->session.client.busy && !c->session.backend.busy) {
        c->ending = true;
        list_unlink(&c->queued);
        uv_close((uv_handle_t *)&c->timer, on_timer_closed);
        return;
    }
    arm(c);
}

/* --- begin and end ---------------------------------------------------------------------------- */

bool conn_accept(struct conn_home *home, struct generation *generation,
                 const struct conf_listener *listener, int fd, const struct addr *remote)
{
    struct session_setup setup = {
        .env = home->env,
        .conf = generation->conf,
        .listener = listener,
        .lore = &generation->lore.view,
        .gate = home->gate,
        .load = &generation->load,
        .counters = generation->counters,
        .local = socket_local(fd),
        .remote = *remote,
    };
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL ||
        getrandom(setup.entropy, sizeof(setup.entropy), 0) != (ssize_t)sizeof(setup.entropy) ||
        !session_init(&c->session, &setup, uv_now(home->loop))) {
        free(c);
        close(fd);
        return false;
    }
    c->home = home;
    c->timer_at = SESSION_NEVER;
    c->generation = generation_hold(generation);
    list_append(&home->conns, &c->node);
    list_append(&home->early, &c->early);
    list_init(&c->queued);
    home->count++;
    c->number = ++home->accepted;
    uv_timer_init(home->loop, &c->timer);
    stream_init(&c->client, home->loop, home->env->pool, &c->session.client, on_wake, c);
    outgoing_init(&c->backend, home->loop, home->env->pool, home->dns, &c->session.backend, on_wake,
                  c);
    c->session.client.local = setup.local;
    c->session.client.remote = setup.remote;
    stream_open(&c->client, fd, generation->conf->keepalive.client);
    conn_run(c);
    return true;
}

/* --- visits ----------------------------------------------------------------------------------- */

static const char *login_name(const struct session *s)
{
    return s->login != NULL ? s->login : s->user;
}

void conn_look(const struct conn *c, struct conn_view *out)
{
    const struct session *s = &c->session;
    uint64_t now = uv_now(c->home->loop);
    bool relaying = s->phase == PHASE_RELAY;

    *out = (struct conn_view){
        .id = s->id,
        .listener = s->listener->name,
        .phase = session_phase_name(s->phase),
        .user = s->user,
        .login = relaying ? login_name(s) : NULL,
        .backend = s->target == NULL ? NULL : s->target->name,
        .tls = s->client.tls_version,
        .at = c->seat.backend,
        .client = s->remote,
        .age = now - s->began,
        .idle = now - s->active,
        .to_client = s->bytes_to_client,
        .to_backend = s->bytes_to_backend,
        .relaying = relaying,
        .resting = session_resting(s),
        .leaving = s->leaving != REASON_none || s->reason != REASON_none || seat_revoked(&c->seat),
    };
}

/* Nothing is freed beneath this, or beneath the loops over connections: that takes a close
 * callback. */
void conn_leave(struct conn *c, enum reason reason)
{
    if (c->ending)
        return;
    session_leave(&c->session, reason, uv_now(c->home->loop));
    conn_run(c);
}

bool conns_some(struct conn_home *home, uint64_t *cursor, size_t most,
                void (*visit)(void *ctx, struct conn *c), void *ctx)
{
    for (struct list *node = home->conns.next; node != &home->conns; node = node->next) {
        struct conn *c = container_of(node, struct conn, node);
        if (c->number <= *cursor || c->ending)
            continue;
        if (most-- == 0)
            return true;
        *cursor = c->number;
        visit(ctx, c);
    }
    return false;
}

void conns_each(struct conn_home *home, void (*visit)(void *ctx, struct conn *c), void *ctx)
{
    uint64_t cursor = 0;

    (void)conns_some(home, &cursor, SIZE_MAX, visit, ctx);
}

static void leave_one(void *ctx, struct conn *c)
{
    const enum reason *reason = ctx;

    conn_leave(c, *reason);
}

void conns_leave(struct conn_home *home, enum reason reason)
{
    conns_each(home, leave_one, &reason);
}

uint32_t conn_move_out(struct conn *c, enum reason reason)
{
    uint32_t sessions = seat_evict(&c->seat, c->home->seating, uv_now(c->home->loop));

    conn_leave(c, reason);
    return sessions;
}

/* Who is still being logged in is told once that is done. */
static void review_one(void *ctx, struct conn *c)
{
    uint64_t now = uv_now(c->home->loop);
    bool dead;

    UNUSED(ctx);
    if (c->session.phase != PHASE_RELAY || c->seat.backend == NULL)
        return;
    dead = fleet_is_dead(c->seat.backend);
    if (seat_revoked(&c->seat)) {
        session_leave(&c->session, REASON_moved, now);
        if (dead)
            session_hurry(&c->session, now);
        conn_run(c);
        return;
    }
    if (dead == c->seat.doubted)
        return;
    c->seat.doubted = dead;
    session_doubt(&c->session, dead, now);
    conn_run(c);
}

void conns_review(struct conn_home *home)
{
    conns_each(home, review_one, NULL);
}

bool conns_evict(struct conn_home *home)
{
    struct conn *oldest = container_of(home->early.next, struct conn, early);

    if (home->early.next == home->early.prev)
        return false;
    conn_leave(oldest, REASON_evicted);
    return true;
}

static void cut(struct conn *c, enum reason reason)
{
    c->impatient = true;
    session_cut(&c->session, reason, uv_now(c->home->loop));
    conn_run(c);
}

void conn_cut(struct conn *c, uint64_t user, enum reason reason)
{
    if (!c->ending && c->seat.home != NULL && c->seat.key == user)
        cut(c, reason);
}

static void abort_one(void *ctx, struct conn *c)
{
    UNUSED(ctx);
    cut(c, REASON_shutdown);
}

void conns_abort(struct conn_home *home)
{
    conns_each(home, abort_one, NULL);
}
