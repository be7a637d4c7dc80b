/*
 * One connected socket behind a port: moves bytes between the kernel and the port's two queues,
 * through a TLS engine once it has one, and reports facts. It decides nothing about IMAP.
 *
 *      kernel --read--> wire_in --[TLS]--> port.in
 *      kernel <-write-- pinned <- wire_out <--[TLS]-- port.out
 *
 * Without TLS the bytes of a queue change hands as a whole block and are not copied. At most one
 * write is under way; its bytes are `pinned` until its callback. Every callback deposits what
 * happened and calls `wake`; nothing else happens beneath it.
 *
 *      IDLE -> OPEN -> FLUSH -> LINGER -> CLOSING -> IDLE
 *               \---------------------------^
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "waypost/base/buf.h"
#include "waypost/base/check.h"
#include "waypost/base/port.h"
#include "waypost/tls/engine.h"

#define STREAM_NEVER UINT64_MAX

enum stream_state {
    STREAM_IDLE,    /* no handle: the port is not busy because of us */
    STREAM_OPEN,    /* bytes flow, as far as the facts allow */
    STREAM_FLUSH,   /* hung up: the last bytes are on their way to the kernel */
    STREAM_LINGER,  /* said that nothing follows; the peer's rest is read and thrown away */
    STREAM_CLOSING, /* waits for the close callback */
};

/* Called at the end of every callback of the stream. */
typedef void stream_wake(void *ctx);

/* What libuv needs for as long as it does not take a write at once, and for the last goodbye: most
 * of the time neither, so it is not kept for them. Never both. */
union stream_request {
    uv_write_t write;
    uv_shutdown_t shutdown;
};

struct stream {
    struct port *port; /* borrowed; its facts are ours to write */
    uv_loop_t *loop;   /* borrowed */
    stream_wake *wake;
    void *ctx; /* borrowed, for wake */
    enum stream_state state;
    uv_tcp_t tcp;
    union stream_request *request; /* owned; NULL but while one of its kinds is under way */
    struct tls_engine *tls;        /* owned; NULL in clear */
    struct buf wire_in, wire_out, pinned;
    uint64_t deadline; /* of FLUSH and LINGER, loop time in ms; else STREAM_NEVER */
    size_t offered;    /* bytes of the space given to the read under way */
    bool reading;      /* uv_read_start is in force */
    bool had_its_turn; /* the last read filled its space: no second one in this turn */
    bool starved;      /* no memory for reading */
    bool writing;      /* a uv_write holds `pinned` */
    bool wire_eof;     /* the peer's FIN was read */
    bool mute;         /* nothing can be sent any more: what comes is thrown away */
    int write_error;   /* libuv error of the write that failed, 0 */
};

/* Borrows everything; the port's queues must use `pool` too. Allocates nothing. */
void stream_init(struct stream *s, uv_loop_t *loop, struct pool *pool, struct port *port,
                 stream_wake *wake, void *ctx);
/* Takes the connected descriptor `fd`, whatever happens: IDLE -> OPEN, or a failed port. The
 * addresses of the port are left to the caller. */
void stream_open(struct stream *s, int fd, uint64_t keepalive);
/* Puts a handshake on an open stream. `port.out` must be empty (pump first); what is in `port.in`
 * goes to the engine. Takes the engine over; NULL (memory was short) makes the port fail. */
void stream_secure(struct stream *s, struct tls_engine *engine);
/* Moves what can move between port and kernel without waiting. True when anything did. */
bool stream_pump(struct stream *s);
/* The end of a run: queues shrink to what they hold, and reading starts or stops. `wanted` says
 * whether more bytes in port.in are of use; a handshake reads in any case. False when the port
 * failed just now, so that another run is needed. */
MUST_USE
bool stream_settle(struct stream *s, bool wanted);
/* Whether dropped ciphertext (or, without TLS, plaintext) is overwritten; true from the start. */
void stream_wipe(struct stream *s, bool wipe);
/* Ends the stream: port.in is dropped, port.out sent as far as it goes at once. With `patience`
 * (ms) the rest and close_notify are flushed, our end is shut, and the peer gets that long to
 * close its own, so that no reset destroys our last bytes (RFC 1122 section 4.2.2.13). With 0 the
 * handle is closed at once. True when this began the end; may be called again to lose patience. */
bool stream_hangup(struct stream *s, uint64_t patience);
/* Closes a lingering stream whose deadline has passed. */
void stream_expire(struct stream *s, uint64_t now);
/* Bytes taken from port.out that the kernel does not have yet. */
size_t stream_unsent(const struct stream *s);
/* Facts as before the first connection; the addresses and queues are emptied as well. */
void port_forget(struct port *port);
