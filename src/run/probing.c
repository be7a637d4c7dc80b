/*
 * Runs one probe: every callback deposits what happened and calls run, which steps the dialogue,
 * performs its asks and moves bytes until nothing moves. Owns the connection and the timer, whose
 * close callback is the last thing to happen.
 */
#include "waypost/run/probing.h"

#define LINGER_MS 500u /* for LOGOUT to arrive and the backend to close */

static void on_timer_closed(uv_handle_t *handle)
{
    struct probing *p = container_of(handle, struct probing, timer);

    p->done(p);
}

/* Only once the PROXY header, or the answer to STARTTLS, is on its way. */
static bool begin_tls(struct probing *p)
{
    struct stream *s = &p->out.stream;

    if (s->state == STREAM_OPEN && !s->port->failed) {
        (void)stream_pump(s);
        if (!buf_empty(&s->port->out))
            return false;
        stream_secure(s, tls_engine_backend(p->tls, p->probe.backend));
    }
    s->port->ask = 0;
    return true;
}

static bool perform(struct probing *p)
{
    const struct conf_backend *backend = p->probe.backend;
    struct port *port = &p->probe.port;
    unsigned ask = port->ask;

    if (ask == ASK_TLS)
        return begin_tls(p);
    port->ask = 0;
    if (ask == ASK_HANGUP)
        return outgoing_hangup(&p->out, p->impatient ? 0 : LINGER_MS);
    if (ask == ASK_OPEN)
        outgoing_open(&p->out, backend, 0);
    return ask == ASK_OPEN;
}

static void run(void *ctx);

static void on_timer(uv_timer_t *timer)
{
    run(container_of(timer, struct probing, timer));
}

static void arm(struct probing *p)
{
    uint64_t at = p->probe.deadline, now = uv_now(p->out.stream.loop);

    if (p->out.stream.deadline < at)
        at = p->out.stream.deadline;
    if (at == PROBE_NEVER)
        uv_timer_stop(&p->timer);
    else
        uv_timer_start(&p->timer, on_timer, at > now ? at - now : 0, 0);
}

static void run(void *ctx)
{
    struct probing *p = ctx;
    uint64_t now = uv_now(p->out.stream.loop);
    bool moved;

    stream_expire(&p->out.stream, now);
    do {
        probe_step(&p->probe, now);
        moved = perform(p);
        moved |= stream_pump(&p->out.stream);
        if (!moved)
            moved = !stream_settle(&p->out.stream, true);
    } while (moved);
    if (!probe_done(&p->probe) || p->probe.port.busy) {
        arm(p);
    } else if (!p->ending) {
        p->ending = true;
        uv_close((uv_handle_t *)&p->timer, on_timer_closed);
    }
}

void probing_start(struct probing *p, const struct probing_home *home,
                   const struct conf_backend *backend, struct tls_set *tls, probing_done *done)
{
    *p = (struct probing){.tls = tls, .done = done};
    probe_init(&p->probe, backend, home->pool, uv_now(home->loop));
    outgoing_init(&p->out, home->loop, home->pool, home->dns, &p->probe.port, run, p);
    uv_timer_init(home->loop, &p->timer);
    run(p);
}

void probing_abort(struct probing *p)
{
    if (p->ending)
        return;
    p->impatient = true;
    probe_give_up(&p->probe, "given up");
    p->probe.port.ask = ASK_HANGUP;
    run(p);
}
