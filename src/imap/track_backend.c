/*
 * The backend's direction of a tracked session (RFC 9051 sections 2.2.2, 4.3, 7). Reads, never
 * holds bytes back but for the few that tell what a line is, and for lines with capabilities,
 * which the caller rewrites whole. A bulk FETCH costs one memchr per line and one comparison per
 * literal.
 */
#include "waypost/imap/track.h"

#include "head.h"
#include "track_state.h"

/* Only data holds literals; an illegal line is given the benefit of framing like data. */
static bool may_hold_literals(const struct track_reply *reply)
{
    return reply->kind == REPLY_UNTAGGED && reply->status == STATUS_OTHER;
}

static void begin_line(struct track *t, const struct head *head)
{
    t->backend.state = STATE_LINE;
    t->backend.header = LITERAL_NONE;
    t->reply = (struct track_reply){.kind = head->kind, .status = head->status};
    if (head->kind == REPLY_TAGGED)
        t->reply.tag = track_hash(head->tag);
}

/* The client waits for this reply. */
static void settle(struct track *t)
{
    bool ok = t->reply.status == STATUS_OK;

    if (t->waiting == WAIT_LITERAL)
        t->client.state = STATE_START; /* refused: its bytes will not come */
    else if (t->waiting == WAIT_IDLE)
        t->idling = false;
    else if (ok)
        t->opaque = true; /* RFC 4978 section 3: compressed right behind this line */
    t->waiting = WAIT_NONE;
}

/* A whole line has passed: what it means. */
static void end_line(struct track *t)
{
    if (may_hold_literals(&t->reply) && literal_announced(&t->backend.header)) {
        t->backend.literal_left = t->backend.header.size;
        return;
    }
    t->backend.state = STATE_START;
    if (t->reply.kind == REPLY_CONTINUE && t->waiting == WAIT_LITERAL) {
        t->client.literal_left = t->client.header.size;
        t->waiting = WAIT_NONE;
    } else if (t->reply.kind == REPLY_TAGGED) {
        track_land(t, t->reply.tag, t->reply.status);
        if (t->waiting != WAIT_NONE && t->reply.tag == t->pending_tag)
            settle(t);
    } else if (t->reply.status == STATUS_BYE) {
        t->saw_bye = true;
    }
}

/* Takes up to `max` bytes of the current line or literal and returns how many. */
static size_t take_piece(struct track *t, struct slice in, size_t max)
{
    struct track_side *side = &t->backend;
    struct slice piece = slice_take(in, max);
    size_t lf;

    if (side->literal_left > 0) {
        size_t n = track_min(side->literal_left, piece.len);
        side->literal_left -= n;
        return n;
    }
    lf = slice_find(piece, '\n');
    piece = slice_take(piece, lf + 1);
    literal_feed(&side->header, piece);
    if (lf < piece.len)
        end_line(t);
    return piece.len;
}

/* A line with capabilities waits to be whole. */
static struct track_span caps_line(struct track *t, const struct head *head, struct slice in,
                                   size_t room)
{
    struct slice line = slice_take(in, slice_find(slice_take(in, LIMIT_CAPS_LINE), '\n') + 1);

    if (line.len > LIMIT_CAPS_LINE ||
        (line.len == LIMIT_CAPS_LINE && line.ptr[line.len - 1] != '\n'))
        return track_span(TRACK_LOST, 0);
    if (line.ptr[line.len - 1] != '\n' || line.len > room)
        return track_span(TRACK_PASS, 0);
    begin_line(t, head);
    return track_span(TRACK_CAPS, take_piece(t, line, line.len));
}

/* Nobody has asked for this BYE, and nobody waits for anything that comes with it. */
static bool keeps_bye(const struct track *t, const struct head *head)
{
    return t->keep_bye && head->kind == REPLY_UNTAGGED && t->backend.state == STATE_START &&
           t->in_flight <= (t->idling ? 1U : 0U);
}

struct track_span track_backend(struct track *t, struct slice in, size_t room)
{
    size_t end = track_min(in.len, room), done = 0;

    while (done < end && !t->opaque) {
        struct slice rest = slice_skip(in, done);
        struct head head = {.kind = REPLY_UNTAGGED, .status = STATUS_OTHER};
        enum result known = DONE;

        if (t->backend.state == STATE_START)
            known = head_read(rest, &head);
        if (known == NEED_MORE)
            break;
        if (head.status == STATUS_BYE && keeps_bye(t, &head))
            return track_span(done > 0 ? TRACK_PASS : TRACK_BYE, done);
        if (head.caps)
            return done > 0 ? track_span(TRACK_PASS, done) : caps_line(t, &head, in, room);
        if (t->backend.state == STATE_START)
            begin_line(t, &head);
        done += take_piece(t, rest, end - done);
    }
    /* Opaque from before: everything. Opaque since now: what led to it, the rest next time. */
    if (t->opaque && done == 0)
        done = end;
    return track_span(TRACK_PASS, done);
}
