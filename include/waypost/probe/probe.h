/*
 * A look at one backend: can it be reached, does it prove who it is, what does it offer before
 * login, and, where the configuration has an account for that, does a login succeed. Pure, like a
 * session: the shell moves the bytes of one port, calls probe_step and performs the asks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/port.h"
#include "waypost/conf/conf.h"
#include "waypost/imap/caps.h"
#include "waypost/imap/reply.h"

#define PROBE_NEVER UINT64_MAX
#define PROBE_WHY   256u

enum probe_phase {
    PROBE_DIAL,
    PROBE_GREETING,
    PROBE_STARTING,
    PROBE_ASKING,
    PROBE_LOGIN,
    PROBE_DONE
};

struct probe {
    const struct conf_backend *backend; /* borrowed */
    enum probe_phase phase;
    struct port port;
    uint64_t deadline; /* absolute ms, for everything; PROBE_NEVER once done */
    uint64_t asked;    /* when the capabilities were asked for */
    bool owes_message; /* PLAIN was begun, and waits for the backend's `+` */
    struct reply reply;
    /* The result, from PROBE_DONE on. */
    bool up;
    bool ours;   /* not up: for want of something of this machine, which says nothing about it */
    bool silent; /* not up: nothing was heard of it, as if it were not there at all */
    char why[PROBE_WHY];     /* what is wrong, for people: may repeat what the backend said */
    struct caps caps;        /* up: what it shows before login */
    uint64_t round_trip;     /* up: ms that it took to answer CAPABILITY */
    const char *tls_version; /* static text; NULL when it did not come to that */
    const char *tls_cipher;
};

/* Begins to connect; the backend's probe.timeout runs. Whatever `p` held is forgotten, not freed.
 */
void probe_init(struct probe *p, const struct conf_backend *backend, struct pool *pool,
                uint64_t now);
/* Goes on as far as it can. Afterwards the shell performs port.ask and moves bytes. */
void probe_step(struct probe *p, uint64_t now);
/* True when there is a result; the port is asked to hang up. */
static inline bool probe_done(const struct probe *p)
{
    return p->phase == PROBE_DONE;
}
/* Ends it: down, unless there is a result already. */
void probe_give_up(struct probe *p, const char *why);
/* The port must be idle. */
void probe_fini(struct probe *p);
