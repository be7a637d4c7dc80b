/*
 * A connection that we make: a dial, and then a stream, behind one port. The port is busy from the
 * first until the last of it.
 */
#pragma once

#include <uv.h>

#include "waypost/base/port.h"
#include "waypost/conf/conf.h"
#include "waypost/net/dns.h"
#include "waypost/net/stream.h"

struct outgoing {
    struct stream stream;
    struct dns *dns;   /* borrowed */
    struct dial *dial; /* owned while it lasts */
    uint64_t keepalive;
};

/* Borrows everything; `wake` is called after every event of dial and stream. */
void outgoing_init(struct outgoing *o, uv_loop_t *loop, struct pool *pool, struct dns *dns,
                   struct port *port, stream_wake *wake, void *ctx);
/* Connects to the backend, which must last until the port is busy no more; the port's facts are
 * those of the new connection from here on. `keepalive` is in ms. The stream must be idle. */
void outgoing_open(struct outgoing *o, const struct conf_backend *backend, uint64_t keepalive);
/* Gives up the dial, or ends the stream as stream_hangup does. */
bool outgoing_hangup(struct outgoing *o, uint64_t patience);
