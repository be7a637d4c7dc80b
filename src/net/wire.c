/*
 * The socket's side of a stream: its reads, its one write, its close. Owns nothing of its own; all
 * state is in struct stream. Never decides when a stream ends (net/stream does) and never looks
 * into the bytes.
 *
 * A read error or the peer's end is noticed only when nothing read before it is left in wire_in,
 * because reading pauses while something is: so facts never overtake bytes.
 */
#include "net/wire.h"

#include <stdlib.h>

#include "waypost/base/limits.h"
#include "waypost/base/str.h"

void wire_fail(struct stream *s, enum port_failure failure, const char *why)
{
    struct port *port = s->port;
    struct str detail = STR_ON(port->detail);

    if (port->failed)
        return;
    str_add(&detail, slice_take(slice_str(why), sizeof(port->detail) - 1));
    port->failed = true;
    port->open = false;
    port->failure = failure;
    drop_all(&port->out);
}

void wire_mute(struct stream *s)
{
    s->mute = true;
    drop_all(&s->wire_out);
    if (!s->writing)
        drop_all(&s->pinned);
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *s = container_of(handle, struct stream, tcp);

    ENSURE(s->request == NULL); /* its callback came before this one */
    tls_engine_free(&s->tls);
    buf_fini(&s->wire_in);
    buf_fini(&s->wire_out);
    buf_fini(&s->pinned);
    port_forget(s->port);
    s->state = STREAM_IDLE;
    s->wake(s->ctx);
}

void wire_close(struct stream *s)
{
    if (s->state == STREAM_CLOSING || s->state == STREAM_IDLE)
        return;
    s->state = STREAM_CLOSING;
    s->reading = false;
    s->deadline = STREAM_NEVER;
    s->port->open = false;
    uv_close((uv_handle_t *)&s->tcp, on_closed);
}

/* --- requests --------------------------------------------------------------------------------- */

bool request_begin(struct stream *s)
{
    REQUIRE(s->request == NULL);
    s->request = malloc(sizeof(*s->request));
    return s->request != NULL;
}

void request_end(struct stream *s)
{
    free(s->request);
    s->request = NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_broke(struct stream *s, int error)
{
    s->write_error = error;
    wire_mute(s);
}

static void on_written(uv_write_t *req, int status)
{
    struct stream *s = req->data;

    s->writing = false;
    request_end(s);
    drop_all(&s->pinned);
    if (s->state == STREAM_CLOSING)
        return;
    if (status < 0)
        write_broke(s, status);
    if (s->state != STREAM_OPEN)
        stream_linger(s);
    s->wake(s->ctx);
}

/* What try-write left over is handed to the one write request, block and all. */
static void pin(struct stream *s)
{
    uv_buf_t vec;
    int error;

    buf_move(&s->pinned, &s->wire_out, buf_len(&s->wire_out));
    buf_settle(&s->pinned);
    vec = uv_buf_init(s->pinned.base + s->pinned.head, (unsigned)buf_len(&s->pinned));
    error = UV_ENOMEM;
    if (request_begin(s)) {
        s->request->write.data = s;
        error = uv_write(&s->request->write, (uv_stream_t *)&s->tcp, &vec, 1, on_written);
    }
    if (error == 0) {
        s->writing = true;
        return;
    }
    request_end(s);
    write_broke(s, error);
}

/* True when wire_out has become emptier. */
bool wire_flush(struct stream *s)
{
    uv_buf_t vec;
    int n;

    if (s->writing || buf_empty(&s->wire_out))
        return false;
    vec = uv_buf_init(s->wire_out.base + s->wire_out.head, (unsigned)buf_len(&s->wire_out));
    n = uv_try_write((uv_stream_t *)&s->tcp, &vec, 1);
    if (n < 0 && n != UV_EAGAIN) {
        write_broke(s, n);
        return true;
    }
    if (n > 0)
        buf_drop(&s->wire_out, (size_t)n);
    if (!buf_empty(&s->wire_out))
        pin(s);
    return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct stream *s = container_of(handle, struct stream, tcp);
    char *space;

    UNUSED(suggested);
    *out = uv_buf_init(NULL, 0);
    s->offered = 0;
    if (s->had_its_turn) {
        /* libuv would read on, up to 32 times; the other connections come first. */
        s->had_its_turn = false;
        return;
    }
    space = buf_space(&s->wire_in, LIMIT_BLOCK_HUGE, &s->offered);
    s->starved = space == NULL;
    if (!s->starved)
        *out = uv_buf_init(space, (unsigned)s->offered);
}

static void read_ended(struct stream *s, int error)
{
    s->wire_eof = true;
    s->reading = false;
    (void)uv_read_stop((uv_stream_t *)&s->tcp);
    if (error == UV_EOF)
        return;
    wire_mute(s);
    wire_fail(s, s->starved ? PORT_MEMORY : PORT_IO, uv_strerror(error));
}

static void on_read(uv_stream_t *handle, ssize_t nread, const uv_buf_t *unused)
{
    struct stream *s = container_of(handle, struct stream, tcp);

    UNUSED(unused);
    if (nread == UV_ENOBUFS && !s->starved)
        return;
    buf_commit(&s->wire_in, nread > 0 ? (size_t)nread : 0);
    s->had_its_turn = nread > 0 && (size_t)nread == s->offered;
    if (nread == 0)
        return;
    if (nread < 0)
        read_ended(s, (int)nread);
    if (s->state != STREAM_OPEN)
        stream_linger(s);
    s->wake(s->ctx);
}

static bool should_read(const struct stream *s, bool wanted)
{
    const struct port *port = s->port;
    bool shaking = s->tls != NULL && !port->secure;

    if (s->wire_eof)
        return false;
    if (s->state == STREAM_FLUSH || s->state == STREAM_LINGER)
        return true;
    return s->state == STREAM_OPEN && !port->failed && !port->eof && buf_empty(&s->wire_in) &&
           buf_room(&port->in) > 0 && (wanted || shaking);
}

bool stream_settle(struct stream *s, bool wanted)
{
    struct buf *bufs[] = {&s->wire_in, &s->wire_out, &s->port->in, &s->port->out};
    bool read = should_read(s, wanted);
    int error = 0;

    for (size_t i = 0; i < COUNT_OF(bufs); i++)
        buf_settle(bufs[i]);
    if (read == s->reading)
        return true;
    s->reading = read;
    if (read)
        error = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
    else if (s->state != STREAM_CLOSING && s->state != STREAM_IDLE)
        (void)uv_read_stop((uv_stream_t *)&s->tcp);
    s->had_its_turn = false;
    if (error == 0)
        return true;
    read_ended(s, error);
    return false;
}
