/*
 * Commands in flight and the questions both directions answer together; the directions are
 * track_client.c and track_backend.c. Owns no bytes: tags are kept as hashes. The tags matter
 * because a client may send one tag twice (RFC 9051 section 2.2.1 only says it should not): the
 * answer to one command must never be taken for the answer to another that changes framing.
 */
#include "waypost/imap/track.h"

#include "track_state.h"

void track_init(struct track *t)
{
    *t = (struct track){.in_flight = 0};
}

/* FNV-1a. Tags that collide only make the client side wait, see track_claims. */
uint32_t track_hash(struct slice tag)
{
    uint32_t hash = 0x811c9dc5u;

    for (size_t i = 0; i < tag.len; i++)
        hash = (hash ^ (unsigned char)tag.ptr[i]) * 0x01000193u;
    return hash == 0 ? 1 : hash;
}

void track_fly(struct track *t, uint32_t tag, enum verb verb)
{
    t->in_flight++;
    if (t->flying_count < TRACK_FLYING) {
        t->flying[t->flying_count++] = (struct track_flight){.tag = tag, .verb = verb};
        track_sent(t, tag); /* a backend may answer before the command is whole */
    }
}

void track_sent(struct track *t, uint32_t tag)
{
    for (unsigned i = t->flying_count; i-- > 0;) {
        if (t->flying[i].tag == tag) {
            t->flying[i].since = t->now & TRACK_MS_MASK;
            return;
        }
    }
}

/* Takes command i out of those in flight; at flying_count it was only counted. */
static void land(struct track *t, unsigned i, enum reply_status status)
{
    struct track_landing landing = {.verb = VERB_OTHER, .status = status};

    if (i < t->flying_count) {
        landing.verb = t->flying[i].verb;
        landing.timed = landing.verb != VERB_IDLE;
        landing.ms = (uint32_t)(t->now - t->flying[i].since) & TRACK_MS_MASK;
        t->flying_count--;
        memmove(&t->flying[i], &t->flying[i + 1], (t->flying_count - i) * sizeof(t->flying[0]));
    }
    t->in_flight--;
    if (t->landed != NULL)
        t->landed(t, &landing);
}

void track_land(struct track *t, uint32_t tag, enum reply_status status)
{
    unsigned i = 0;

    while (i < t->flying_count && t->flying[i].tag != tag)
        i++;
    if (i < t->in_flight)
        land(t, i, status);
}

unsigned track_claims(const struct track *t, uint32_t tag)
{
    unsigned claims = t->in_flight - t->flying_count;

    for (unsigned i = 0; i < t->flying_count; i++)
        claims += t->flying[i].tag == tag ? 1 : 0;
    return claims;
}

bool track_safe(const struct track *t)
{
    return !t->opaque && t->backend.state == STATE_START;
}

bool track_client_at_command(const struct track *t)
{
    return t->client.state != STATE_LINE && !t->idling;
}
