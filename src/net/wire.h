/*
 * What net/stream needs of a socket, private to net/.
 */
#pragma once

#include "waypost/net/stream.h"

static inline void drop_all(struct buf *b)
{
    buf_drop(b, buf_len(b));
}

/* The port is broken for good; the first failure wins. `why` is copied, clipped. */
void wire_fail(struct stream *s, enum port_failure failure, const char *why);
/* Nothing can be sent any more. What the peer sent before may still be waiting to be read. */
void wire_mute(struct stream *s);
/* Hands wire_out to the kernel; what it does not take is pinned. True when wire_out changed. */
bool wire_flush(struct stream *s);
/* The one request of a stream: libuv has it from the call after request_begin to its callback.
 * False when memory is short. */
MUST_USE
bool request_begin(struct stream *s);
void request_end(struct stream *s);
/* Closes the handle, once; the close callback forgets the facts and wakes. */
void wire_close(struct stream *s);
/* In net/stream: FLUSH and LINGER, called whenever something happened; closes when there is no
 * more to wait for. */
void stream_linger(struct stream *s);
