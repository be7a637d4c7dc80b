/*
 * Assembler of one client command before login (RFC 9051 sections 2.2, 4.3, 9; RFC 7888). Borrows
 * the queue it is given; owns nothing, names nothing, answers nothing. Each byte is looked at once,
 * and none behind the command's end. What it refuses it drops itself, literals included, so that
 * no part of it can be taken for a command.
 */
#include "waypost/imap/scan.h"

#include "waypost/imap/command.h"

enum kind { KIND_COMMAND, KIND_LINE };

void scan_reset(struct scan *s)
{
    *s = (struct scan){.pos = 0};
}

static bool is_authenticate(struct slice line)
{
    const struct slice name = SLICE("AUTHENTICATE ");
    struct slice tag = slice_cut(&line, ' ');

    return command_tag_legal(tag) && slice_starts_nocase(line, name);
}

static size_t line_limit(const struct scan *s, struct slice bytes, const struct scan_limits *limits,
                         enum kind kind)
{
    if (kind == KIND_LINE)
        return limits->sasl_line;
    if (s->line_start == 0 && is_authenticate(bytes))
        return limits->sasl_line;
    return limits->line;
}

/* The tag of a command refused in mid-course, from the bytes examined so far. */
static void keep_tag(struct scan *s, struct slice seen)
{
    size_t end = slice_find(seen, ' ');

    if (end == seen.len || !command_tag_legal(slice_take(seen, end)))
        return;
    memcpy(s->tag, seen.ptr, end);
    s->tag_len = end;
}

/* Drops n bytes of a refused command. False when there have been too many of them. */
static bool swallow(struct scan *s, struct buf *in, size_t n)
{
    if (n > LIMIT_SKIP - s->skipped)
        return false;
    s->skipped += n;
    buf_drop(in, n);
    return true;
}

static enum result hopeless(struct scan *s, struct buf *in)
{
    s->fault = SCAN_HOPELESS;
    buf_drop(in, buf_len(in));
    return BAD;
}

/* A line of a refused command has ended: is that the end of the command? A synchronising literal
 * will never be sent, one of the other kind is on its way (RFC 7888 section 4). */
static enum result refused_line_end(struct scan *s, struct buf *in, enum kind kind)
{
    if (kind == KIND_LINE || !literal_announced(&s->header) || s->header.waits)
        return BAD;
    s->literal_left = s->header.size;
    return s->literal_left > LIMIT_SKIP - s->skipped ? hopeless(s, in) : NEED_MORE;
}

/* Drops what has come of a refused command, up to its true end. */
static enum result skip(struct scan *s, struct buf *in, enum kind kind)
{
    while (!buf_empty(in)) {
        struct slice b = buf_bytes(in);
        size_t lf = slice_find(b, '\n');
        bool in_literal = s->literal_left > 0;
        size_t n = lf == b.len ? b.len : lf + 1;

        if (in_literal) {
            n = s->literal_left < b.len ? (size_t)s->literal_left : b.len;
            s->literal_left -= n;
        } else {
            literal_feed(&s->header, slice_take(b, n));
        }
        if (!swallow(s, in, n))
            return hopeless(s, in);
        if (!in_literal && lf != b.len) {
            enum result end = refused_line_end(s, in, kind);
            if (end != NEED_MORE)
                return end;
        }
    }
    return NEED_MORE;
}

/* Gives the command up at s->pos. `at_end`: a whole line has been examined. */
static enum result refuse(struct scan *s, struct buf *in, enum kind kind, enum scan_fault fault,
                          bool at_end)
{
    enum result end = NEED_MORE;

    s->fault = fault;
    s->skipping = true;
    if (kind == KIND_COMMAND)
        keep_tag(s, slice_take(buf_bytes(in), s->pos));
    if (!swallow(s, in, s->pos))
        return hopeless(s, in);
    s->pos = s->line_start = 0;
    if (at_end)
        end = refused_line_end(s, in, kind);
    return end == NEED_MORE ? skip(s, in, kind) : end;
}

/* A whole line of a command was examined: is there more to it? */
static enum result line_end(struct scan *s, struct buf *in, const struct scan_limits *limits)
{
    if (!literal_announced(&s->header)) {
        s->len = s->pos;
        return DONE;
    }
    if (s->header.size > limits->literal)
        return refuse(s, in, KIND_COMMAND, SCAN_LITERAL_TOO_BIG, true);
    if (s->literals == LIMIT_LITERALS)
        return refuse(s, in, KIND_COMMAND, SCAN_LITERALS_TOO_MANY, true);
    s->literals++;
    s->literal_left = s->header.size;
    s->line_start = s->pos + (size_t)s->literal_left;
    return s->header.waits ? CONTINUE : NEED_MORE;
}

/* What is wrong with the byte just examined, at s->pos - 1. */
static enum scan_fault judge(const struct scan *s, struct slice b, size_t max)
{
    size_t at = s->pos - 1;
    char c = b.ptr[at];

    if (c == '\0')
        return SCAN_NUL;
    if (at > s->line_start && b.ptr[at - 1] == '\r' && c != '\n')
        return SCAN_BARE_CR;
    if (at - s->line_start + 1 >= max && c != '\n')
        return SCAN_LINE_TOO_LONG;
    return SCAN_FINE;
}

/* Examines the literal under way as far as it has come; true when it is free of NUL. */
static bool literal_clean(struct scan *s, struct slice b)
{
    struct slice rest = slice_skip(b, s->pos);
    size_t n = s->literal_left < rest.len ? (size_t)s->literal_left : rest.len;
    size_t nul = slice_find(slice_take(rest, n), '\0');
    size_t seen = nul == n ? n : nul + 1;

    s->pos += seen;
    s->literal_left -= seen;
    return nul == n;
}

static enum result scan(struct scan *s, struct buf *in, const struct scan_limits *limits,
                        enum kind kind)
{
    struct slice b = buf_bytes(in);

    if (s->skipping)
        return skip(s, in, kind);
    if (s->literal_left > 0 && !literal_clean(s, b)) {
        s->header = LITERAL_NONE;
        return refuse(s, in, kind, SCAN_NUL, false);
    }
    for (size_t max = line_limit(s, b, limits, kind); s->pos < b.len;) {
        enum scan_fault fault;

        literal_feed(&s->header, slice_of(b.ptr + s->pos++, 1));
        fault = judge(s, b, max);
        if (fault != SCAN_FINE)
            return refuse(s, in, kind, fault, false);
        if (b.ptr[s->pos - 1] != '\n')
            continue;
        if (kind == KIND_COMMAND)
            return line_end(s, in, limits);
        s->len = s->pos;
        return DONE;
    }
    /* Only with limits that outgrow the queue: a command that fills it can never be completed. */
    if (buf_room(in) == 0)
        return refuse(s, in, kind, SCAN_LINE_TOO_LONG, false);
    return NEED_MORE;
}

enum result scan_command(struct scan *s, struct buf *in, const struct scan_limits *limits)
{
    enum result result;

    /* A non-synchronising literal within the limits is no reason to pause. */
    do {
        result = scan(s, in, limits, KIND_COMMAND);
    } while (result == NEED_MORE && !s->skipping && s->pos < buf_len(in));
    return result;
}

enum result scan_line(struct scan *s, struct buf *in, const struct scan_limits *limits)
{
    return scan(s, in, limits, KIND_LINE);
}
