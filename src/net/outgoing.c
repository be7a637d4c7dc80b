/*
 * Joins dial and stream into one connection. Owns both; borrows loop, pool, names and port. Decides
 * nothing: whoever opens it also gives up.
 */
#include "waypost/net/outgoing.h"

#include "waypost/base/str.h"
#include "waypost/net/dial.h"
#include "waypost/net/socket.h"

void outgoing_init(struct outgoing *o, uv_loop_t *loop, struct pool *pool, struct dns *dns,
                   struct port *port, stream_wake *wake, void *ctx)
{
    o->dns = dns;
    o->dial = NULL;
    stream_init(&o->stream, loop, pool, port, wake, ctx);
}

static void on_dialed(void *ctx, const struct dial_outcome *outcome)
{
    struct outgoing *o = ctx;
    struct port *port = o->stream.port;

    o->dial = NULL;
    port->busy = false;
    if (outcome->fd >= 0) {
        port->detail[0] = '\0';
        port->remote = outcome->remote;
        port->local = socket_local(outcome->fd);
        stream_open(&o->stream, outcome->fd, o->keepalive);
    } else if (outcome->failure == PORT_FINE) {
        port_forget(port); /* given up meanwhile */
    } else {
        port->failed = true;
        port->failure = outcome->failure;
    }
    o->stream.wake(o->stream.ctx);
}

void outgoing_open(struct outgoing *o, const struct conf_backend *backend, uint64_t keepalive)
{
    const struct dial_to to = {backend->host, backend->port, backend->sources,
                               backend->source_count};
    struct port *port = o->stream.port;

    REQUIRE(o->dial == NULL && o->stream.state == STREAM_IDLE);
    port_forget(port);
    o->keepalive = keepalive;
    o->dial = dial_start(o->stream.loop, o->dns, &to, STR_ON(port->detail), on_dialed, o);
    port->busy = o->dial != NULL;
    if (o->dial == NULL) {
        port->failed = true;
        port->failure = PORT_MEMORY;
    }
}

bool outgoing_hangup(struct outgoing *o, uint64_t patience)
{
    if (o->dial == NULL)
        return stream_hangup(&o->stream, patience);
    dial_cancel(o->dial);
    return false;
}
