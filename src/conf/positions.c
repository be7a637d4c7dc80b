/*
 * Walks a JSON text (RFC 8259) that is known to be valid and notes the line of every member and
 * element. Owns the map; borrows the text only while walking. Never judges the text. Recursion is
 * as deep as the parser allowed the text to be.
 */
#include "conf/positions.h"

#include "conf/pointer.h"
#include "waypost/base/limits.h"

struct walk {
    struct positions *positions;
    const char *at, *end;
    unsigned line;
    struct str pointer; /* of the value at hand; in overflow nothing is recorded */
    positions_duplicate *duplicate;
    void *ctx;
};

static void walk_value(struct walk *w);

static char peek(const struct walk *w)
{
    return w->at < w->end ? *w->at : '\0';
}

static char next(struct walk *w)
{
    char c = peek(w);
    if (w->at < w->end)
        w->at++;
    if (c == '\n')
        w->line++;
    return c;
}

static void skip_space(struct walk *w)
{
    while (peek(w) == ' ' || peek(w) == '\t' || peek(w) == '\r' || peek(w) == '\n')
        next(w);
}

static unsigned next_hex4(struct walk *w)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = ascii_lower(next(w));
        value = value * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

static void add_utf8(struct str *out, unsigned code)
{
    unsigned tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned lead[] = {0x00, 0xC0, 0xE0, 0xF0};

    pointer_byte(out, (char)(lead[tail] | code >> (6 * tail)));
    while (tail-- > 0)
        pointer_byte(out, (char)(0x80 | (code >> (6 * tail) & 0x3F)));
}

/* Behind `\u`. A high surrogate is followed by `\u` and the low one (RFC 8259 section 7). */
static void add_escaped_code(struct walk *w, struct str *out)
{
    unsigned code = next_hex4(w);
    if (code >= 0xD800 && code < 0xDC00) {
        next(w);
        next(w);
        code = 0x10000 + ((code & 0x3FF) << 10) + (next_hex4(w) & 0x3FF);
    }
    add_utf8(out, code);
}

static void add_escaped(struct walk *w, struct str *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = next(w);
    const char *hit = c == '\0' ? NULL : strchr(from, c);

    if (c == 'u')
        add_escaped_code(w, out);
    else
        pointer_byte(out, hit == NULL ? c : to[hit - from]);
}

/* Reads the string at hand as a reference token. */
static void walk_key(struct walk *w)
{
    next(w);
    str_addc(&w->pointer, '/');
    while (w->at < w->end && peek(w) != '"') {
        char c = next(w);
        if (c == '\\')
            add_escaped(w, &w->pointer);
        else
            pointer_byte(&w->pointer, c);
    }
    next(w);
}

static void skip_string(struct walk *w)
{
    next(w);
    while (w->at < w->end && peek(w) != '"') {
        if (next(w) == '\\')
            next(w);
    }
    next(w);
}

static void note(struct walk *w, unsigned line)
{
    struct strmap *lines = &w->positions->lines;
    struct slice pointer = str_slice(&w->pointer);
    struct strmap_hit first;

    if (w->pointer.overflow)
        return;
    if (strmap_add(lines, pointer, SLICE(""), line) == STRMAP_TAKEN &&
        strmap_find(lines, pointer, &first))
        w->duplicate(w->ctx, pointer, line, first.value);
}

/* Whether the object or array goes on; consumes the comma or the closing bracket. */
static bool walk_more(struct walk *w, char close)
{
    skip_space(w);
    if (w->at == w->end)
        return false;
    if (peek(w) == ',') {
        next(w);
        skip_space(w);
        return true;
    }
    if (peek(w) == close) {
        next(w);
        return false;
    }
    return true;
}

/* One member or element, with the pointer extended for its length. */
static void walk_child(struct walk *w, bool member, size_t index)
{
    struct str saved = w->pointer;
    unsigned line = w->line;

    if (member)
        walk_key(w);
    else
        pointer_index(&w->pointer, index);
    note(w, line);
    skip_space(w);
    if (member)
        next(w);
    walk_value(w);
    w->pointer = saved;
    w->pointer.data[saved.len] = '\0';
}

static void walk_children(struct walk *w, char close)
{
    next(w);
    for (size_t i = 0; walk_more(w, close); i++)
        walk_child(w, close == '}', i);
}

static void walk_value(struct walk *w)
{
    skip_space(w);
    switch (peek(w)) {
    case '{':
        walk_children(w, '}');
        break;
    case '[':
        walk_children(w, ']');
        break;
    case '"':
        skip_string(w);
        break;
    default: /* a number, true, false or null */
        while (w->at < w->end && strchr(",]} \t\r\n", *w->at) == NULL)
            w->at++;
    }
}

void positions_init(struct positions *p, struct slice text, positions_duplicate *duplicate,
                    void *ctx)
{
    char storage[LIMIT_POINTER];
    struct walk w = {.positions = p,
                     .at = text.ptr,
                     .end = text.ptr + text.len,
                     .line = 1,
                     .pointer = STR_ON(storage),
                     .duplicate = duplicate,
                     .ctx = ctx};

    strmap_init(&p->lines, 0);
    skip_space(&w);
    note(&w, w.line);
    walk_value(&w);
}

void positions_fini(struct positions *p)
{
    strmap_fini(&p->lines);
}

unsigned positions_line(const struct positions *p, struct slice pointer)
{
    struct strmap_hit hit;
    do {
        if (strmap_find(&p->lines, pointer, &hit))
            return hit.value;
    } while (pointer_up(&pointer));
    return 1;
}
