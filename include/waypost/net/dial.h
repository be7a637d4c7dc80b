/*
 * Makes one connection to a host: resolves, then tries up to LIMIT_ADDRESSES addresses, the
 * next one as soon as the last failed or did not answer for a moment; the first that connects wins
 * (RFC 8305 section 5), so that a black hole costs a quarter of a second and not the deadline.
 * Has no deadline of its own: whoever dials gives up.
 *
 * With a list of sources each attempt connects from one of them, of the family of the address it
 * goes to; the first is taken at random, and when it has no port left, or is not ours, the others
 * follow. Without any of that family the attempt fails.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "waypost/base/port.h"
#include "waypost/base/str.h"
#include "waypost/net/dns.h"

#define DIAL_STAGGER_MS 250u /* RFC 8305 section 8 */

struct dial;

struct dial_to {
    const char *host;
    uint16_t port;
    const struct addr *sources; /* ports do not matter */
    size_t source_count;        /* 0: from wherever the kernel likes */
};

struct dial_outcome {
    int fd; /* connected, non-blocking, now the callee's; -1 none */
    struct addr remote;
    /* PORT_FINE after success or cancellation; PORT_LOCAL when no attempt got as far as the net. */
    enum port_failure failure;
};

/* Called exactly once, from the loop, when nothing of the dial is left alive. */
typedef void dial_done(void *ctx, const struct dial_outcome *outcome);

/* Borrows loop, dns and the sources; `host` is copied if it must last. As attempts fail, "address:
 * error" goes to the storage of `detail`, which outlives the dial. NULL when memory is short: then
 * `done` is not called. */
MUST_USE
struct dial *dial_start(uv_loop_t *loop, struct dns *dns, const struct dial_to *to,
                        struct str detail, dial_done *done, void *ctx);
/* Gives up; `done` still comes, without a descriptor. May be called more than once. */
void dial_cancel(struct dial *dial);
