/*
 * Recogniser of literal headers (RFC 9051 section 9, `literal` and `number64`). Owns nothing but
 * its few bytes of state; never looks at a byte twice and never holds one back.
 */
#include "waypost/imap/literal.h"

#include <string.h>

enum {
    HEADER_NONE,
    HEADER_OPEN,   /* `{` */
    HEADER_DIGITS, /* `{5` */
    HEADER_PLUS,   /* `{5+` */
    HEADER_CLOSED, /* `{5}` */
    HEADER_CR,     /* `{5}` CR */
    HEADER_ENDED   /* and the line's end */
};

#define NUMBER64_MAX ((uint64_t)INT64_MAX)

static unsigned add_digit(struct literal_header *h, char c)
{
    uint64_t digit = (uint64_t)(c - '0');

    if (h->size > (NUMBER64_MAX - digit) / 10)
        return HEADER_NONE;
    h->size = h->size * 10 + digit;
    return HEADER_DIGITS;
}

static unsigned next_state(struct literal_header *h, char c)
{
    unsigned state = h->state;

    switch (c) {
    case '{':
        *h = (struct literal_header){.waits = true};
        return HEADER_OPEN;
    case '+':
        h->waits = false;
        return state == HEADER_DIGITS ? HEADER_PLUS : HEADER_NONE;
    case '}':
        return state == HEADER_DIGITS || state == HEADER_PLUS ? HEADER_CLOSED : HEADER_NONE;
    case '\r':
        return state == HEADER_CLOSED ? HEADER_CR : HEADER_NONE;
    case '\n':
        h->bare_lf = state == HEADER_CLOSED;
        return state == HEADER_CLOSED || state == HEADER_CR ? HEADER_ENDED : HEADER_NONE;
    default:
        if (c >= '0' && c <= '9' && (state == HEADER_OPEN || state == HEADER_DIGITS))
            return add_digit(h, c);
        return HEADER_NONE;
    }
}

/* Most lines end in something else than `}`, which the last bytes tell at once. */
static bool ends_otherwise(struct slice bytes)
{
    size_t end = bytes.len;

    if (end == 0 || bytes.ptr[end - 1] != '\n')
        return false;
    end--;
    if (end > 0 && bytes.ptr[end - 1] == '\r')
        end--;
    return end > 0 && bytes.ptr[end - 1] != '}';
}

void literal_feed(struct literal_header *h, struct slice bytes)
{
    const char *open = NULL;

    if (bytes.len == 0)
        return;
    if (ends_otherwise(bytes)) {
        h->state = HEADER_NONE;
        return;
    }
    /* Only the last `{` of a line can begin a header that reaches its end. */
    open = memrchr(bytes.ptr, '{', bytes.len);
    if (open != NULL) {
        bytes = slice_skip(bytes, (size_t)(open - bytes.ptr));
        h->state = next_state(h, '{');
        bytes = slice_skip(bytes, 1);
    }
    for (size_t i = 0; i < bytes.len && h->state != HEADER_NONE; i++)
        h->state = next_state(h, bytes.ptr[i]);
}

bool literal_announced(const struct literal_header *h)
{
    return h->state == HEADER_ENDED;
}
