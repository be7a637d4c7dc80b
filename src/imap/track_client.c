/*
 * The client's direction of a tracked session (RFC 9051 sections 2.2.1, 4.3 and 9, RFC 2177,
 * RFC 4978, RFC 7888). Holds no bytes back but tag and name, and a line whose effect on framing
 * could not be followed yet. Commands are the backend's to judge; what is judged here is whether
 * all backends would read the line alike. Odd beginnings are refused, and with a literal that some
 * would not take for one the session is given up: either could carry UNAUTHENTICATE past the proxy.
 */
#include "waypost/imap/track.h"

#include "chars.h"
#include "track_state.h"
#include "waypost/base/check.h"
#include "waypost/base/result.h"

static const struct track_span wait_for_more = {TRACK_PASS, 0};

struct opening {
    struct slice tag; /* empty: a line without a name */
    enum verb verb;
};

/* Is `s` at a line end? NEED_MORE while that is open. */
static enum result at_line_end(struct slice s)
{
    if (s.len > 0 && s.ptr[0] == '\n')
        return DONE;
    if (s.len > 1 && s.ptr[0] == '\r')
        return s.ptr[1] == '\n' ? DONE : BAD;
    return s.len == 0 || s.ptr[0] == '\r' ? NEED_MORE : BAD;
}

/* May not reach the backend once somebody is logged in. */
static bool is_refused(const struct track *t, enum verb verb)
{
    /* RFC 8437: a second login past the proxy, in sight or hidden in a compressed stream. */
    return verb == VERB_UNAUTHENTICATE || verb == VERB_AUTHENTICATE || verb == VERB_STARTTLS ||
           (verb == VERB_COMPRESS && t->guarded);
}

/* The second word of a UID command, for the count only: what it is does not matter here. */
static enum result read_uid(struct slice s, size_t first, struct opening *o)
{
    struct slice second = slice_skip(s, first + 1);
    size_t n = imap_astring_run(slice_take(second, VERB_WORD + 1));

    if (n == second.len && n <= VERB_WORD)
        return NEED_MORE;
    o->verb = verb_of(slice_take(s, first + 1 + n));
    return DONE;
}

/* The name behind tag and space, as far as it matters. */
static enum result read_name(struct slice s, struct opening *o)
{
    size_t n = imap_astring_run(slice_take(s, VERB_WORD + 1));
    struct slice name = slice_take(s, n), behind = slice_skip(s, n);
    enum result end = at_line_end(behind);

    if (n > VERB_WORD)
        return DONE;
    if (behind.len > 0 && behind.ptr[0] == ' ') {
        if (slice_eq_nocase(name, SLICE("UID")))
            return read_uid(s, n, o);
        end = DONE;
    }
    o->verb = verb_of(name);
    return n == 0 && end == DONE ? BAD : end;
}

/* How a command begins: tag, one space, name; or the line is empty or a single word, like a DONE
 * that comes too late. BAD: it begins in no such way. */
static enum result read_opening(struct slice in, struct opening *o)
{
    size_t n = 0;
    struct slice rest;
    enum result end;

    while (n < in.len && n < LIMIT_TAG && imap_tag_char(in.ptr[n]))
        n++;
    rest = slice_skip(in, n);
    end = n < LIMIT_TAG ? at_line_end(rest) : BAD;
    *o = (struct opening){.tag = SLICE(""), .verb = VERB_OTHER};
    if (end != BAD || n == 0 || n == LIMIT_TAG || rest.ptr[0] != ' ')
        return end;
    o->tag = slice_take(in, n);
    return read_name(slice_skip(rest, 1), o);
}

/* Follows quoted strings, and whether a `{` stands where an argument can begin. */
static void follow(struct track_command *c, struct slice piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        char at = piece.ptr[i];
        if (at == '{')
            c->doubtful = c->quoted || (c->before != ' ' && c->before != '(' && c->before != '~');
        else if (at == '"' && !c->escaped)
            c->quoted = !c->quoted;
        c->escaped = c->quoted && !c->escaped && at == '\\';
        c->before = at;
    }
}

/* The command would let the backend send `+` or change framing: may it pass now? Only when no
 * other such thing is under way, and when the reply to its tag can be told from all others. */
static bool must_hold(const struct track *t)
{
    return t->waiting != WAIT_NONE || track_claims(t, t->command.tag) > 1;
}

/* Begins to wait for the backend; the line that causes it passes with this verdict. */
static enum track_verdict wait_for(struct track *t, enum track_wait what)
{
    t->client.state = what == WAIT_LITERAL ? STATE_LINE : STATE_START;
    /* The backend has answered before the line was whole: it will say no more about it. */
    if (track_claims(t, t->command.tag) == 0) {
        t->client.state = STATE_START;
        return TRACK_PASS;
    }
    if (must_hold(t))
        return TRACK_HOLD;
    t->waiting = what;
    t->pending_tag = t->command.tag;
    t->idling = what == WAIT_IDLE;
    return TRACK_PASS;
}

static enum track_verdict end_with_literal(struct track *t)
{
    const struct literal_header *header = &t->client.header;

    /* While idling the backend takes the line for a broken DONE and what follows for commands. */
    if (t->command.tag == 0)
        return TRACK_LOST;
    if (header->waits)
        return wait_for(t, WAIT_LITERAL);
    if (t->command.doubtful || header->bare_lf)
        return TRACK_LOST;
    t->client.literal_left = header->size;
    return TRACK_PASS;
}

/* A line is whole: what follows it? */
static enum track_verdict end_line(struct track *t)
{
    enum verb verb = t->command.verb;
    bool framing = verb == VERB_IDLE || verb == VERB_COMPRESS;

    if (literal_announced(&t->client.header))
        return end_with_literal(t);
    if (framing && t->command.tag != 0)
        return wait_for(t, verb == VERB_IDLE ? WAIT_IDLE : WAIT_COMPRESS);
    t->saw_logout = t->saw_logout || verb == VERB_LOGOUT;
    t->client.state = STATE_START;
    track_sent(t, t->command.tag);
    return TRACK_PASS;
}

static struct track_span pass_line(struct track *t, struct slice in, size_t room)
{
    struct track next = *t;
    enum track_verdict verdict = TRACK_PASS;
    struct slice piece = slice_take(in, room);
    size_t lf = slice_find(piece, '\n');

    piece = slice_take(piece, lf + 1);
    literal_feed(&next.client.header, piece);
    follow(&next.command, piece);
    if (lf < piece.len)
        verdict = end_line(&next);
    /* A line that may not pass yet is judged afresh next time. */
    if (verdict != TRACK_PASS)
        return track_span(verdict, 0);
    *t = next;
    return track_span(TRACK_PASS, piece.len);
}

static struct track_span drop_line(struct track *t, struct slice in)
{
    size_t lf = slice_find(in, '\n');
    struct slice piece = slice_take(in, lf + 1);

    literal_feed(&t->client.header, piece);
    if (lf < piece.len && literal_announced(&t->client.header) && !t->client.header.waits)
        t->client.literal_left = t->client.header.size;
    else if (lf < piece.len)
        t->client.state = STATE_START;
    return track_span(TRACK_REFUSE, piece.len);
}

static struct track_span refuse(struct track *t, struct slice tag, struct slice in)
{
    if (tag.len == 0)
        tag = SLICE("*");
    memcpy(t->refused_tag, tag.ptr, tag.len);
    t->refused_tag_len = (unsigned)tag.len;
    t->client.state = STATE_DROP;
    t->client.header = LITERAL_NONE;
    return drop_line(t, in);
}

/* Length of the DONE line at the front; 0 none, and *growing when it may still become one. */
static size_t done_line(struct slice in, bool *growing)
{
    const struct slice forms[] = {SLICE("DONE\r\n"), SLICE("DONE\n")};

    *growing = false;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct slice seen = slice_take(in, forms[i].len);
        if (!slice_eq_nocase(seen, slice_take(forms[i], seen.len)))
            continue;
        if (seen.len == forms[i].len)
            return seen.len;
        *growing = true;
    }
    return 0;
}

static void begin_command(struct track *t, uint32_t tag, enum verb verb)
{
    t->client.header = LITERAL_NONE;
    t->command = (struct track_command){.tag = tag, .verb = verb};
    t->client.state = STATE_LINE;
    if (tag != 0)
        track_fly(t, tag, verb);
}

/* Nothing of the next command has passed. One that begins oddly is refused, because servers differ
 * in what they make of it: some skip blanks, drop tabs or stop at NUL, and would find a name that
 * is not to pass. */
static struct track_span start(struct track *t, struct slice in, size_t room)
{
    struct opening o;
    enum result known = read_opening(in, &o);

    if (known == BAD || (known == DONE && is_refused(t, o.verb)))
        return refuse(t, o.tag, in);
    if (known == NEED_MORE || room == 0)
        return wait_for_more;
    begin_command(t, o.tag.len > 0 && !t->idling ? track_hash(o.tag) : 0, o.verb);
    return pass_line(t, in, room);
}

static struct track_span literal(struct track *t, struct slice in, size_t room)
{
    bool drop = t->client.state == STATE_DROP;
    size_t n = track_min(t->client.literal_left, drop ? in.len : track_min(in.len, room));

    t->client.literal_left -= n;
    return track_span(drop ? TRACK_REFUSE : TRACK_PASS, n);
}

struct track_span track_client(struct track *t, struct slice in, size_t room)
{
    size_t done;
    bool growing = false;

    if (t->opaque)
        return track_span(TRACK_PASS, track_min(in.len, room));
    if (t->waiting == WAIT_LITERAL || t->waiting == WAIT_COMPRESS)
        return track_span(TRACK_HOLD, 0);
    if (in.len == 0)
        return wait_for_more;
    t->refused_tag_len = 0;
    if (t->client.literal_left > 0)
        return literal(t, in, room);
    if (t->client.state == STATE_LINE)
        return pass_line(t, in, room);
    if (t->client.state == STATE_DROP)
        return drop_line(t, in);
    done = t->idling ? done_line(in, &growing) : 0;
    if (growing || done > room)
        return wait_for_more;
    if (done == 0)
        return start(t, in, room);
    t->idling = false;
    return track_span(TRACK_PASS, done);
}
