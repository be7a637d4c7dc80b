/*
 * One client's session: the pure core. It owns two ports, the login dialogue with both sides and
 * the relay, and runs one phase at a time (the table is in src/session/session.c). It never sees a
 * socket, a clock or a thread: the shell deposits bytes and facts, calls session_step, performs
 * the asks and comes back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/log.h"
#include "waypost/base/metrics.h"
#include "waypost/base/port.h"
#include "waypost/base/reason.h"
#include "waypost/conf/conf.h"
#include "waypost/imap/caps.h"
#include "waypost/imap/ident.h"
#include "waypost/imap/reply.h"
#include "waypost/imap/scan.h"
#include "waypost/imap/track.h"
#include "waypost/route/route.h"
#include "waypost/sasl/sasl.h"
#include "waypost/session/gate.h"
#include "waypost/session/lease.h"
#include "waypost/session/lore.h"

#define SESSION_NEVER UINT64_MAX
#define SESSION_ID    16u /* characters of a session id */

enum phase {
    PHASE_SECURE,
    PHASE_COMMAND,
    PHASE_UPGRADE,
    PHASE_SASL,
    PHASE_ROUTE,
    PHASE_PLACE,
    PHASE_DIAL,
    PHASE_REDIAL,
    PHASE_GREETING,
    PHASE_STARTING,
    PHASE_LOGIN,
    PHASE_CHALLENGE,
    PHASE_RELAY,
    PHASE_REFUSE,
    PHASE_DRAIN,
    PHASE_CLOSED,
    PHASE_COUNT
};

/* What a worker lends to all of its sessions; outlives them. */
struct session_env {
    const struct log *log;
    struct metrics *metrics;
    struct pool *pool;
    /* How long backends lately took to reject a wrong password (ms), so that a user without a
     * route is refused after the same time (RFC 9051 section 11.7). Per worker. */
    struct rejections {
        uint32_t sample[16];
        unsigned count, next;
    } rejections;
    uint64_t turn; /* logins routed so far, for pools that take turns */
};

/* What the shell knows when it accepts. Borrowed pointers outlive the session. */
struct session_setup {
    struct session_env *env;
    const struct conf *conf; /* the shell holds the reference */
    const struct conf_listener *listener;
    const struct session_lore *lore; /* NULL: nothing is known of any backend */
    const struct session_gate *gate; /* NULL: no limits of users and addresses */
    const struct hash_load *load;    /* NULL: nobody knows how many sessions a backend has */
    /* Where each backend of conf is counted, by its index; NULL: nowhere. */
    struct backend_metrics *const *counters;
    struct addr local, remote;
    unsigned char entropy[16]; /* random bytes: session id, own tags, jitter */
};

/* What a session needs until somebody is logged in, and no longer. */
struct prelude {
    /* Login, client side. */
    struct scan scan;
    struct sasl sasl;
    struct credentials credentials;
    char tag[LIMIT_TAG]; /* of the LOGIN or AUTHENTICATE being answered */
    size_t tag_len;
    struct ident_kept ident; /* of the client's own ID, for the backend */
    bool asked_capability;   /* since TLS: this client believes CAPABILITY, not codes */
    bool spoke_imap;         /* a first whole line was read: it may have been another protocol */
    unsigned bad_commands, failures;
    uint64_t attempt_began;

    /* Login, backend side. */
    uint64_t hold_until; /* end of the time that this attempt may be held */
    struct reply reply;
    struct caps caps;       /* of the backend before login; forgotten after its STARTTLS */
    struct caps caps_after; /* what it shows this user */
    unsigned own_tag;       /* number of our last command to the backend */
    struct session_sent {   /* numbers of our commands that wait for their tag; 0: none */
        unsigned starttls, caps, id, login, recaps;
    } sent;
    bool said_id, said_login, asked_after; /* in this dialogue */
    bool exchanged;          /* a challenge was relayed: this attempt can be replayed nowhere */
    bool again;              /* the same candidate is being tried a second time */
    bool outdated;           /* the login was planned by capabilities that no longer hold */
    bool accepted;           /* the backend has said OK to the login */
    bool claimed;            /* the user's name is from the token, not from the header */
    bool cancelled;          /* the client gave up a relayed exchange */
    unsigned referrals;      /* followed in this attempt */
    unsigned login_part;     /* private to session/login.c: next piece of the login command */
    enum refusal refusal;    /* REFUSE: what will be said */
    enum limited limited;    /* the limit that has stopped this attempt; none */
    bool judged_by_backend;  /* the refusal is the backend's own verdict */
    enum refusal trouble;    /* why the candidates so far were no good */
    struct secret forwarded; /* REFUSAL_forwarded: code and text of the backend */
};

struct session {
    struct session_env *env;              /* borrowed */
    const struct conf *conf;              /* borrowed */
    const struct conf_listener *listener; /* borrowed */
    const struct session_lore *lore;      /* borrowed; may be NULL */
    const struct session_gate *gate;      /* borrowed; may be NULL */
    const struct hash_load *load;         /* borrowed; may be NULL */
    struct gate_pass pass;
    struct backend_metrics *const *counters; /* borrowed; may be NULL */
    enum phase phase;
    struct port client, backend;
    char id[SESSION_ID + 1];
    uint64_t now;              /* of the current step, monotonic ms */
    uint64_t began;            /* accepted at */
    uint64_t active;           /* bytes were last relayed at, or began */
    uint64_t deadline;         /* SESSION_NEVER or absolute ms */
    uint64_t login_until;      /* end of the time allowed before login */
    uint64_t backend_until;    /* end of the time this candidate has to log us in */
    enum reason reason;        /* first reason wins */
    enum reason leaving;       /* asked to end at the next safe point; REASON_none: no */
    bool header_done;          /* the PROXY header was read, or none is expected */
    struct addr remote, local; /* the client's, after a PROXY header */
    uint64_t random;           /* state of a small generator, seeded from entropy */

    struct prelude *pre;          /* owned; NULL once somebody is logged in */
    struct route_decision *route; /* owned, only from ROUTE to the end of the attempt */
    struct lease lease;
    const struct conf_backend *target; /* of ASK_OPEN and ASK_TLS on the backend port; borrowed */

    /* Relay. */
    char *user;  /* owned: the normalised name, for the log */
    char *login; /* owned: the name at the backend; NULL: the same */
    struct track track;
    uint64_t part_at;  /* the client learns then that its backend has ended the session; 0: never */
    bool parted;       /* it may know */
    bool doubted;      /* part_at holds unless the backend shows that it lives */
    bool owes_refusal; /* a command was refused and its BAD waits for a safe point */
    uint64_t bytes_to_client, bytes_to_backend;
};

/* Begins in SECURE. Whatever `s` held before is forgotten, not freed. False when memory is short,
 * and then there is nothing to end. */
MUST_USE
bool session_init(struct session *s, const struct session_setup *setup, uint64_t now);
/* Runs phases until nothing moves. `now` is monotonic milliseconds. Afterwards the shell performs
 * client.ask and backend.ask and lets both ports move bytes. */
void session_step(struct session *s, uint64_t now);
/* Asks a session to end: at once before login, at the next safe point (`* BYE`) while relaying. The
 * next step makes it so. */
void session_leave(struct session *s, enum reason reason, uint64_t now);
/* Who is leaving waits no longer for the answer to a command: the backend is dead. */
void session_hurry(struct session *s, uint64_t now);
/* Ends it now, for that reason unless it was leaving for another, and waits for nobody: CLOSED. */
void session_cut(struct session *s, enum reason reason, uint64_t now);
/* The backend is said to be dead: unless something comes from it, or it is said to be well again, a
 * session that rests ends within timeouts.backend_lost. The next step makes it so. */
void session_doubt(struct session *s, bool dead, uint64_t now);
/* True while nobody has logged in and the session goes on. */
static inline bool session_early(const struct session *s)
{
    return s->phase != PHASE_RELAY && s->phase != PHASE_DRAIN && s->phase != PHASE_CLOSED;
}
/* True while somebody is logged in and no command waits for its answer, as in IDLE: he could be
 * told BYE at once. */
bool session_resting(const struct session *s);
/* True when the shell may close both connections and forget the session. */
static inline bool session_closed(const struct session *s)
{
    return s->phase == PHASE_CLOSED;
}
/* Frees what the session owns, wiping secrets. Both ports must be idle. */
void session_fini(struct session *s);
/* True when more bytes at this port (client or backend of `s`) are of use now; false makes the
 * shell stop reading. Room in the queue is the shell's own question. */
bool session_wants(const struct session *s, const struct port *port);
const char *session_phase_name(enum phase phase);
