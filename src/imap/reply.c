/*
 * Assembler of one server reply (RFC 9051 sections 2.2.2, 4.3, 7 and 9). Borrows the queue and
 * drops nothing from it; owns only its place in it. A status or continuation is one line: its text
 * cannot hold a literal, whatever it ends in; only untagged data can.
 */
#include "waypost/imap/reply.h"

#include "chars.h"
#include "head.h"
#include "waypost/base/limits.h"

void reply_reset(struct reply *r)
{
    *r = (struct reply){.pos = 0};
}

/* Where a code ends; text.len if nowhere. RFC 9051 has no `]` inside one, but the URL that RFC 2221
 * section 4 puts there may name an address in brackets (RFC 3986 section 3.2.2). */
static size_t find_code_end(struct slice text)
{
    size_t end = slice_find(text, ']');
    struct slice inside = slice_skip(slice_take(text, end), 1);
    size_t last = end + 1 + slice_find(slice_skip(text, end + 1), ']');

    if (last >= text.len || slice_find(inside, '[') == inside.len ||
        !slice_eq_nocase(slice_cut(&inside, ' '), SLICE("REFERRAL")))
        return end;
    return last;
}

/* Splits `[CODE ...] text` off the text of a status. */
static void split_code(struct reply *r)
{
    size_t end = find_code_end(r->text);

    if (r->text.len == 0 || r->text.ptr[0] != '[' || end == r->text.len)
        return;
    r->code = slice_of(r->text.ptr + 1, end - 1);
    r->text = slice_skip(r->text, end + 1);
    if (r->text.len > 0 && r->text.ptr[0] == ' ')
        r->text = slice_skip(r->text, 1);
}

static void split_word(struct reply *r)
{
    size_t n = imap_word_run(r->text);

    r->word = slice_take(r->text, n);
    if (n < r->text.len && r->text.ptr[n] == ' ')
        n++;
    r->text = slice_skip(r->text, n);
}

/* Takes a whole reply apart. False when it has no legal beginning. */
static bool take_apart(struct reply *r, struct slice reply)
{
    struct head head;
    size_t end = reply.len - 1;

    if (head_read(reply, &head) != DONE)
        return false;
    if (end > 0 && reply.ptr[end - 1] == '\r')
        end--;
    r->len = reply.len;
    r->kind = head.kind;
    r->status = head.status;
    r->tag = head.tag;
    r->code = r->word = SLICE("");
    r->text = slice_skip(slice_take(reply, end), head.body);
    if (head.kind == REPLY_CONTINUE) {
        if (r->text.len > 0 && r->text.ptr[0] == ' ')
            r->text = slice_skip(r->text, 1);
    } else if (head.status == STATUS_OTHER) {
        split_word(r);
    } else {
        split_code(r);
    }
    return true;
}

/* CR only as part of the line end: elsewhere a client might take it for one. */
static bool line_legal(struct slice line)
{
    size_t cr = slice_find(line, '\r');

    return slice_find(line, '\0') == line.len && (cr == line.len || cr + 2 == line.len);
}

/* The line that ends at r->pos is whole: so may be the reply. */
static enum result line_end(struct reply *r, struct slice b)
{
    struct slice line = slice_of(b.ptr + r->line_start, r->pos - r->line_start);

    if (!line_legal(line) || !take_apart(r, slice_take(b, r->pos)))
        return BAD;
    if (r->kind != REPLY_UNTAGGED || r->status != STATUS_OTHER || !literal_announced(&r->header))
        return DONE;
    if (r->header.size > LIMIT_REPLY - r->pos)
        return BAD;
    r->literal_left = (size_t)r->header.size;
    r->line_start = r->pos + r->literal_left;
    return NEED_MORE;
}

/* Examines the literal under way as far as it has come. */
static bool literal_clean(struct reply *r, struct slice b)
{
    struct slice seen = slice_take(slice_skip(b, r->pos), r->literal_left);

    r->pos += seen.len;
    r->literal_left -= seen.len;
    return slice_find(seen, '\0') == seen.len;
}

enum result reply_next(struct reply *r, const struct buf *in)
{
    struct slice b = slice_take(buf_bytes(in), LIMIT_REPLY);
    enum result result = NEED_MORE;

    while (result == NEED_MORE && r->pos < b.len) {
        struct slice rest;
        size_t lf;
        bool clean = r->literal_left == 0 || literal_clean(r, b);

        if (!clean)
            return BAD;
        rest = slice_skip(b, r->pos);
        lf = slice_find(rest, '\n');
        rest = slice_take(rest, lf + 1);
        literal_feed(&r->header, rest);
        r->pos += rest.len;
        if (lf < rest.len)
            result = line_end(r, b);
    }
    if (result == NEED_MORE && (r->pos == LIMIT_REPLY || buf_room(in) == 0))
        return BAD;
    return result;
}

struct slice reply_code_name(const struct reply *r)
{
    return slice_take(r->code, slice_find(r->code, ' '));
}

bool reply_capabilities(const struct reply *r, struct slice *words)
{
    struct slice code = r->code;

    if (r->status != STATUS_OTHER) {
        if (!slice_eq_nocase(slice_cut(&code, ' '), SLICE("CAPABILITY")))
            return false;
        *words = code;
        return true;
    }
    if (r->kind != REPLY_UNTAGGED || !slice_eq_nocase(r->word, SLICE("CAPABILITY")))
        return false;
    *words = r->text;
    return true;
}
