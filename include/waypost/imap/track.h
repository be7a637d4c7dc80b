/*
 * Framing of a relayed session (RFC 9051 sections 2.2 and 4.3, RFC 2177, RFC 4978, RFC 7888): where
 * lines begin, which bytes are literals, which commands are in flight. It reads, never changes
 * bytes, holds none, and says how many may pass. Literals are skipped by count and lines by memchr.
 * When the answer to a command passes it says so, and how long it took.
 *
 * Both directions share one struct, because a synchronising literal, IDLE and COMPRESS can only be
 * framed by listening to both. In `opaque` state everything passes and nothing is known.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/base/slice.h"
#include "waypost/base/verb.h"
#include "waypost/imap/literal.h"
#include "waypost/imap/reply.h"

/* Commands in flight whose tags are remembered one by one; more are only counted. */
#define TRACK_FLYING  16u
#define TRACK_TIME    26u /* bits of a time in ms: a command may take 18 hours */
#define TRACK_VERB    6u  /* bits of an enum verb */
#define TRACK_MS_MASK ((1u << TRACK_TIME) - 1)
static_assert(VERB_COUNT <= 1u << TRACK_VERB, "a verb fits its bits");

enum track_verdict {
    TRACK_PASS,   /* the first len bytes go through unchanged; len may be 0: wait for more bytes */
    TRACK_BYE,    /* backend: the next line is an untagged BYE, and keep_bye was set */
    TRACK_CAPS,   /* backend: the first len bytes are one whole line that carries capabilities */
    TRACK_REFUSE, /* client: the first len bytes belong to a command that may not reach the backend
                     (UNAUTHENTICATE, STARTTLS, AUTHENTICATE); drop them and, when
                     track.refused_tag_len is not 0, answer BAD with track.refused_tag at the next
                     moment track_safe() is true, before the next call of track_client. What is
                     still to come of the command is refused in further spans, without a tag. */
    TRACK_HOLD, /* client: the backend must speak first (literal refused or not, COMPRESS, IDLE) */
    TRACK_LOST  /* framing is lost and the session must end. Backend: a line with capabilities
                   exceeds LIMIT_CAPS_LINE. Client: a literal where backends would not agree that
                   it is one, or a command that changes framing under an illegible tag. */
};

struct track_span {
    enum track_verdict verdict;
    size_t len;
};

/* A command has been answered: its tagged reply passed. */
struct track_landing {
    enum verb verb;           /* OTHER: also one of those that were only counted */
    enum reply_status status; /* OK, NO or BAD */
    bool timed;               /* ms is known, and the backend's doing: never so for IDLE */
    uint32_t ms;              /* since the last byte of the command passed */
};

struct track_side {
    uint64_t literal_left;
    struct literal_header header; /* at the end of the line, as far as it has passed */
    unsigned state;               /* private */
};

struct track {
    /* Set by the caller, the second before each call. */
    void (*landed)(struct track *t, const struct track_landing *landing); /* NULL: not told */
    uint64_t now;                                                         /* monotonic ms */
    bool keep_bye; /* stop before a BYE of the backend's own accord: with no command in flight */

    bool opaque;
    bool guarded;       /* set by the caller: COMPRESS, which would blind us, is refused too */
    bool saw_bye;       /* the backend has sent `* BYE` */
    bool saw_logout;    /* the client has sent LOGOUT */
    bool idling;        /* an IDLE command is in progress: the next client line is DONE */
    unsigned in_flight; /* commands sent to the backend and not yet answered with their tag */
    unsigned refused_tag_len;    /* of the last REFUSE; 0: nothing to answer */
    char refused_tag[LIMIT_TAG]; /* "*" when the command's own tag is illegal */

    /* Private. */
    struct track_side client, backend;
    struct track_command {
        uint32_t tag; /* hash; 0: illegible, no reply can be matched to it */
        enum verb verb;
        bool quoted, escaped, doubtful;
        char before; /* the byte passed last */
    } command;       /* the client's current one */
    struct track_reply {
        uint32_t tag;
        enum reply_kind kind;
        enum reply_status status;
    } reply;              /* the backend's current one */
    unsigned waiting;     /* for what the client side waits */
    uint32_t pending_tag; /* hash of the tag whose reply ends the waiting */
    unsigned flying_count;
    struct track_flight {
        uint32_t tag; /* hash */
        unsigned since : TRACK_TIME;
        unsigned verb : TRACK_VERB;
    } flying[TRACK_FLYING]; /* the oldest first */
};

void track_init(struct track *t);
/* Judges the bytes at the head of one direction. `in` is all that is there, `room` how many bytes
 * the other side can take; a PASS or CAPS never exceeds it. The caller acts on the span, drops
 * those bytes and calls again until len is 0, the verdict is HOLD or LOST. A verdict changes the
 * state: act on it. */
struct track_span track_client(struct track *t, struct slice in, size_t room);
struct track_span track_backend(struct track *t, struct slice in, size_t room);
/* True when a line of the proxy's own may be put into the stream to the client: everything that
 * track_backend let pass ended with a whole reply, and the stream is not opaque. */
bool track_safe(const struct track *t);
/* True when the client's last passed byte ended a whole command; IDLE ends with DONE. */
bool track_client_at_command(const struct track *t);
