/*
 * What the two directions of a tracked session share. Private to track*.c.
 */
#pragma once

#include "waypost/imap/track.h"

/* track.waiting: the client side has sent something that changes its framing or lets the backend
 * send `+`. There is at most one such thing at a time, so that a `+` has one meaning only. */
enum track_wait {
    WAIT_NONE,
    WAIT_LITERAL, /* a synchronising literal was announced: `+` or a refusal */
    WAIT_IDLE,    /* until the tagged reply; other lines may pass meanwhile */
    WAIT_COMPRESS /* until the tagged reply */
};

enum track_state {
    STATE_START, /* nothing of the next line has passed */
    STATE_LINE,  /* in a line whose kind is known, or in its literal */
    STATE_DROP   /* client: in a command that was refused */
};

/* Never 0. */
uint32_t track_hash(struct slice tag);
/* A command has begun to pass to the backend. */
void track_fly(struct track *t, uint32_t tag, enum verb verb);
/* The last byte of the newest command with this tag has passed: the backend's time begins. */
void track_sent(struct track *t, uint32_t tag);
/* A tagged reply has come. */
void track_land(struct track *t, uint32_t tag, enum reply_status status);
/* Of the commands in flight, how many a reply with this tag could answer. */
unsigned track_claims(const struct track *t, uint32_t tag);

static inline struct track_span track_span(enum track_verdict verdict, size_t len)
{
    return (struct track_span){verdict, len};
}

static inline size_t track_min(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}
