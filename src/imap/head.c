/*
 * Reader of the beginnings of server lines (RFC 9051 section 9: response-data, response-tagged,
 * continue-req). Borrows the bytes and owns nothing. Lenient where nothing is lost by it: status
 * without text, `+` without space.
 */
#include "head.h"

#include "chars.h"
#include "waypost/imap/command.h"

static const struct {
    struct slice word;
    enum reply_status status;
    bool tagged; /* may follow a tag */
} statuses[] = {
    {{"OK", 2}, STATUS_OK, true},    {{"NO", 2}, STATUS_NO, true},
    {{"BAD", 3}, STATUS_BAD, true},  {{"PREAUTH", 7}, STATUS_PREAUTH, false},
    {{"BYE", 3}, STATUS_BYE, false},
};

/* The word at `from`; false while its end is not there. */
static bool word_at(struct slice s, size_t from, struct slice *out)
{
    struct slice rest = slice_skip(s, from);
    size_t n = imap_word_run(rest);

    if (n == rest.len)
        return false;
    *out = slice_take(rest, n);
    return true;
}

static enum reply_status status_of(struct slice word, bool tagged)
{
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        if ((statuses[i].tagged || !tagged) && slice_eq_nocase(word, statuses[i].word))
            return statuses[i].status;
    }
    return STATUS_OTHER;
}

/* Looks for `keyword` and the byte that ends it at h->body. */
static enum result find_caps(struct slice begin, struct slice keyword, struct head *h)
{
    struct slice rest = slice_skip(begin, h->body);
    struct slice seen = slice_take(rest, keyword.len);

    if (!slice_eq_nocase(seen, slice_take(keyword, seen.len)))
        return DONE;
    if (rest.len <= keyword.len)
        return NEED_MORE;
    rest = slice_skip(rest, keyword.len);
    /* Only a code can end right behind its name. */
    h->caps = imap_word_run(rest) == 0 || (h->status != STATUS_OTHER && rest.ptr[0] == ']');
    h->words = h->body + keyword.len;
    return DONE;
}

/* The status or first word, behind `* ` or a tag. */
static enum result read_status(struct slice begin, struct head *h)
{
    bool tagged = h->kind == REPLY_TAGGED;
    struct slice word;

    if (!word_at(begin, h->body, &word))
        return begin.len < HEAD_MAX ? NEED_MORE : (tagged ? BAD : DONE);
    h->status = status_of(word, tagged);
    if (h->status == STATUS_OTHER) {
        if (tagged || word.len == 0)
            return BAD;
        return find_caps(begin, SLICE("CAPABILITY"), h);
    }
    h->body += word.len;
    if (begin.ptr[h->body] == ' ')
        h->body++;
    return find_caps(begin, SLICE("[CAPABILITY"), h);
}

static enum result read_tagged(struct slice begin, struct head *h)
{
    struct slice tag;

    h->kind = REPLY_TAGGED;
    if (!word_at(slice_take(begin, LIMIT_TAG), 0, &tag))
        return begin.len < LIMIT_TAG ? NEED_MORE : BAD;
    if (begin.ptr[tag.len] != ' ' || !command_tag_legal(tag))
        return BAD;
    h->tag = tag;
    h->body = tag.len + 1;
    return read_status(begin, h);
}

enum result head_read(struct slice begin, struct head *out)
{
    struct head h = {.kind = REPLY_UNTAGGED, .status = STATUS_OTHER, .tag = SLICE("")};
    enum result result = DONE;

    begin = slice_take(begin, HEAD_MAX);
    if (begin.len == 0)
        return NEED_MORE;
    if (begin.ptr[0] == '+') {
        h.kind = REPLY_CONTINUE;
        h.body = 1;
    } else if (begin.ptr[0] != '*') {
        result = read_tagged(begin, &h);
    } else if (begin.len < 2) {
        result = NEED_MORE;
    } else {
        h.body = 2;
        result = begin.ptr[1] == ' ' ? read_status(begin, &h) : BAD;
    }
    if (result == DONE)
        *out = h;
    return result;
}
