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
uint64_t track_hash(struct slice tag)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < tag.len; i++)
        hash = (hash ^ (unsigned char)tag.ptr[i]) * 0x100000001b3u;
    return hash == 0 ? 1 : hash;
}

void track_fly(struct track *t, uint64_t tag)
{
    t->in_flight++;
    if (t->flying_count < TRACK_FLYING)
        t->flying[t->flying_count++] = tag;
}

void track_land(struct track *t, uint64_t tag)
{
    for (unsigned i = 0; i < t->flying_count; i++) {
        if (t->flying[i] != tag)
            continue;
        t->flying[i] = t->flying[--t->flying_count];
        t->in_flight--;
        return;
    }
    if (t->in_flight > t->flying_count)
        t->in_flight--;
}

unsigned track_claims(const struct track *t, uint64_t tag)
{
    unsigned claims = t->in_flight - t->flying_count;

    for (unsigned i = 0; i < t->flying_count; i++)
        claims += t->flying[i] == tag ? 1 : 0;
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
