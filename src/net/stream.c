/*
 * Moves bytes between a socket's wire queues (net/wire) and a port, and knows how a stream begins,
 * becomes secure and ends. Owns the handle, its requests, the engine and three wire queues;
 * borrows port, pool and loop. Never looks into the bytes and never writes an ask.
 */
#include "waypost/net/stream.h"

#include <string.h>
#include <unistd.h>

#include "waypost/base/limits.h"
#include "waypost/net/socket.h"

#include "net/wire.h"

void stream_init(struct stream *s, uv_loop_t *loop, struct pool *pool, struct port *port,
                 stream_wake *wake, void *ctx)
{
    *s = (struct stream){.port = port, .loop = loop, .wake = wake, .ctx = ctx};
    s->deadline = STREAM_NEVER;
    buf_init(&s->wire_in, pool, LIMIT_BUF);
    buf_init(&s->wire_out, pool, LIMIT_BUF);
    buf_init(&s->pinned, pool, LIMIT_BUF);
    stream_wipe(s, true);
}

void stream_wipe(struct stream *s, bool wipe)
{
    s->wire_in.wipe = s->wire_out.wipe = s->pinned.wipe = wipe;
}

size_t stream_unsent(const struct stream *s)
{
    return buf_len(&s->wire_out) + buf_len(&s->pinned);
}

void port_forget(struct port *port)
{
    struct buf in, out;

    drop_all(&port->in);
    drop_all(&port->out);
    in = port->in;
    out = port->out;
    *port = (struct port){.in = in, .out = out, .ask = port->ask};
}

/* --- between wire and port -------------------------------------------------------------------- */

/* The end of the transport becomes a fact once every byte before it is in port.in. */
static bool note_end(struct stream *s, bool ended)
{
    struct port *port = s->port;

    if (!ended || port->eof)
        return false;
    port->eof = true;
    drop_all(&s->wire_in);
    if (s->write_error != 0)
        wire_fail(s, PORT_IO, uv_strerror(s->write_error));
    return true;
}

static bool pump_clear(struct stream *s)
{
    bool moved = buf_move(&s->port->in, &s->wire_in, buf_len(&s->wire_in)) > 0;

    moved |= buf_move(&s->wire_out, &s->port->out, buf_len(&s->port->out)) > 0;
    return note_end(s, s->wire_eof && buf_empty(&s->wire_in)) || moved;
}

static void note_secure(struct stream *s)
{
    struct port *port = s->port;

    port->secure = true;
    port->tls_version = tls_engine_version(s->tls);
    port->tls_cipher = tls_engine_cipher(s->tls);
    port->sni = tls_engine_sni(s->tls);
    port->alpn = tls_engine_alpn(s->tls);
    port->cert_email = tls_engine_cert_email(s->tls);
    port->cert_name = tls_engine_cert_name(s->tls);
}

static void note_tls_failure(struct stream *s)
{
    static const enum port_failure failure[] = {
        [TLS_FINE] = PORT_TLS_PROTOCOL,
        [TLS_PROTOCOL] = PORT_TLS_PROTOCOL,
        [TLS_VERIFY] = PORT_TLS_VERIFY,
        [TLS_MEMORY] = PORT_MEMORY,
    };

    drop_all(&s->wire_in);
    wire_fail(s, failure[tls_engine_failure(s->tls)], tls_engine_detail(s->tls));
}

static struct tls_io wires(struct stream *s)
{
    return (struct tls_io){
        .wire_in = &s->wire_in,
        .wire_out = &s->wire_out,
        .in = &s->port->in,
        .out = &s->port->out,
        /* Only then: what came before the end shows in the facts first. */
        .wire_eof = s->wire_eof && buf_empty(&s->wire_in),
    };
}

static bool pump_tls(struct stream *s)
{
    struct tls_io io = wires(s);
    bool moved = tls_advance(s->tls, &io);
    enum tls_state state = tls_engine_state(s->tls);

    /* Plaintext proves a handshake, even if its end came along with it. */
    if (!s->port->secure && (state == TLS_OPEN || !buf_empty(&s->port->in)))
        note_secure(s);
    if (state == TLS_TRUNCATED)
        s->port->truncated = true;
    if (state == TLS_FAILED)
        note_tls_failure(s);
    return note_end(s, state == TLS_CLOSED || state == TLS_TRUNCATED) || moved;
}

bool stream_pump(struct stream *s)
{
    struct port *port = s->port;
    bool moved;

    if (s->state != STREAM_OPEN || port->failed)
        return false;
    moved = s->tls == NULL ? pump_clear(s) : pump_tls(s);
    moved |= wire_flush(s);
    if (s->mute && !buf_empty(&port->out)) {
        drop_all(&port->out);
        moved = true;
    }
    port->unsent = stream_unsent(s);
    return moved;
}

/* --- opening, securing, hanging up ------------------------------------------------------------ */

void stream_open(struct stream *s, int fd, uint64_t keepalive)
{
    int error;

    REQUIRE(s->state == STREAM_IDLE);
    s->reading = s->had_its_turn = s->starved = s->writing = s->wire_eof = s->mute = false;
    s->write_error = 0;
    s->port->busy = true;
    s->state = STREAM_OPEN;
    error = uv_tcp_init(s->loop, &s->tcp);
    ENSURE(error == 0); /* without a family it only fills in the handle */
    socket_tune(fd, keepalive);
    error = uv_tcp_open(&s->tcp, fd);
    if (error == 0) {
        s->port->open = true;
        return;
    }
    close(fd);
    s->wire_eof = true;
    wire_mute(s);
    wire_fail(s, PORT_IO, uv_strerror(error));
}

/* Whatever was read so far belongs to the handshake, in the order in which it came. */
static bool return_input(struct stream *s)
{
    struct buf rest = s->wire_in;
    bool whole;

    buf_init(&s->wire_in, rest.pool, rest.max);
    s->wire_in.wipe = rest.wipe;
    buf_move(&s->wire_in, &s->port->in, buf_len(&s->port->in));
    buf_move(&s->wire_in, &rest, buf_len(&rest));
    whole = buf_empty(&s->port->in) && buf_empty(&rest);
    buf_fini(&rest);
    return whole;
}

void stream_secure(struct stream *s, struct tls_engine *engine)
{
    REQUIRE(s->state == STREAM_OPEN && s->tls == NULL && buf_empty(&s->port->out));
    s->tls = engine;
    if (engine == NULL)
        wire_fail(s, PORT_MEMORY, "no memory for TLS");
    else if (!return_input(s))
        wire_fail(s, PORT_TLS_PROTOCOL, "too many bytes ahead of the handshake");
}

/* The last bytes, and close_notify if they all were said (RFC 8446 section 6.1). */
static void farewell(struct stream *s)
{
    struct port *port = s->port;

    (void)stream_pump(s);
    if (s->tls != NULL && !port->failed) {
        struct tls_io io = wires(s);
        tls_finish(s->tls, &io);
    }
    port->sni = port->cert_email = port->cert_name = NULL;
    tls_engine_free(&s->tls);
    drop_all(&port->in);
    drop_all(&port->out);
    drop_all(&s->wire_in);
    if (s->mute)
        drop_all(&s->wire_out);
    port->open = false;
    port->unsent = 0;
}

/* Without a way to say goodbye there is nothing to wait for. */
static void on_shut(uv_shutdown_t *req, int status)
{
    struct stream *s = req->data;

    request_end(s);
    if (status < 0 && s->state == STREAM_LINGER)
        wire_close(s);
}

static void say_goodbye(struct stream *s)
{
    s->mute = true;
    if (!request_begin(s))
        return;
    s->request->shutdown.data = s;
    if (uv_shutdown(&s->request->shutdown, (uv_stream_t *)&s->tcp, on_shut) == 0)
        s->mute = false;
    else
        request_end(s);
}

void stream_linger(struct stream *s)
{
    drop_all(&s->wire_in);
    if (s->state == STREAM_FLUSH) {
        (void)wire_flush(s);
        if (!s->mute && stream_unsent(s) > 0)
            return;
        s->state = STREAM_LINGER;
        if (!s->mute && !s->wire_eof)
            say_goodbye(s);
    }
    if (s->state == STREAM_LINGER && (s->mute || s->wire_eof))
        wire_close(s);
}

bool stream_hangup(struct stream *s, uint64_t patience)
{
    if (s->state == STREAM_IDLE || s->state == STREAM_CLOSING)
        return false;
    if (s->state != STREAM_OPEN && patience > 0)
        return false;
    if (s->state == STREAM_OPEN) {
        farewell(s);
        s->state = STREAM_FLUSH;
        s->deadline = uv_now(s->loop) + patience;
        stream_linger(s);
    }
    if (patience == 0)
        wire_close(s);
    return true;
}

void stream_expire(struct stream *s, uint64_t now)
{
    if (now >= s->deadline)
        wire_close(s);
}
