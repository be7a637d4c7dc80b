/*
 * Strings of client commands (RFC 9051 sections 4.3 and 9). Borrows the command's bytes, copies
 * only on request; NUL is an ordinary byte that is never legal.
 */
#include "token.h"

#include "chars.h"
#include "waypost/imap/literal.h"

static bool harmless(struct slice value)
{
    return slice_find(value, '\0') == value.len && slice_find(value, '\r') == value.len &&
           slice_find(value, '\n') == value.len;
}

/* `in` begins with a double quote; *taken counts both. Only `"` and `\` may be escaped. */
static bool take_quoted(struct slice in, struct slice *raw, size_t *taken)
{
    size_t i = 1;

    while (i < in.len && in.ptr[i] != '"') {
        bool escape = in.ptr[i] == '\\';
        if (escape && (i + 1 == in.len || (in.ptr[i + 1] != '"' && in.ptr[i + 1] != '\\')))
            return false;
        i += escape ? 2 : 1;
    }
    if (i >= in.len)
        return false;
    *raw = slice_of(in.ptr + 1, i - 1);
    *taken = i + 1;
    return true;
}

/* `in` begins with a brace. */
static bool take_literal(struct slice in, struct slice *raw, size_t *taken)
{
    struct literal_header header = LITERAL_NONE;
    size_t line = slice_find(in, '\n') + 1;

    if (line > in.len)
        return false;
    literal_feed(&header, slice_take(in, line));
    /* A header further along the line is not the one that begins here. */
    if (!literal_announced(&header) || slice_find(slice_skip(in, 1), '{') + 1 < line)
        return false;
    if (header.size > in.len - line)
        return false;
    *raw = slice_of(in.ptr + line, (size_t)header.size);
    *taken = line + raw->len;
    return true;
}

bool token_take(struct slice *args, struct token *out)
{
    struct slice in = *args;
    struct token token = {.kind = TOKEN_ATOM, .raw = slice_take(in, imap_astring_run(in))};
    size_t taken = token.raw.len;
    bool found = taken > 0;

    if (in.len > 0 && in.ptr[0] == '"') {
        token.kind = TOKEN_QUOTED;
        found = take_quoted(in, &token.raw, &taken);
    } else if (in.len > 0 && in.ptr[0] == '{') {
        token.kind = TOKEN_LITERAL;
        found = take_literal(in, &token.raw, &taken);
    }
    if (!found || !harmless(token.raw))
        return false;
    *args = slice_skip(in, taken);
    *out = token;
    return true;
}

size_t token_len(const struct token *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->raw.len; i++, n++) {
        if (t->kind == TOKEN_QUOTED && t->raw.ptr[i] == '\\')
            i++;
    }
    return n;
}

void token_copy(const struct token *t, char *to)
{
    for (size_t i = 0; i < t->raw.len; i++) {
        if (t->kind == TOKEN_QUOTED && t->raw.ptr[i] == '\\')
            i++;
        *to++ = t->raw.ptr[i];
    }
}
