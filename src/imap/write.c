/*
 * Strings for commands to a backend and replies to a client (RFC 9051 sections 4.3 and 9). Writes
 * into the caller's builder, never allocates; what cannot be quoted is the caller's to send as a
 * literal.
 */
#include "waypost/imap/write.h"

#include "chars.h"

static bool has_8bit(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] > 0x7f)
            return true;
    }
    return false;
}

enum write_form write_form_of(struct slice value)
{
    if (slice_find(value, '\0') < value.len)
        return WRITE_NEVER;
    if (slice_find(value, '\r') < value.len || slice_find(value, '\n') < value.len ||
        has_8bit(value))
        return WRITE_LITERAL;
    /* NIL is a legal astring, but not every server reads it as text. */
    if (value.len == 0 || imap_astring_run(value) < value.len ||
        slice_eq_nocase(value, SLICE("NIL")))
        return WRITE_QUOTED;
    return WRITE_ATOM;
}

static void add_quoted(struct str *out, struct slice value)
{
    str_addc(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            str_addc(out, '\\');
        str_addc(out, value.ptr[i]);
    }
    str_addc(out, '"');
}

void write_astring(struct str *out, struct slice value)
{
    enum write_form form = write_form_of(value);

    REQUIRE(form == WRITE_ATOM || form == WRITE_QUOTED);
    if (form == WRITE_ATOM)
        str_add(out, value);
    else
        add_quoted(out, value);
}

void write_nstring(struct str *out, struct slice value)
{
    if (value.ptr == NULL) {
        str_add(out, SLICE("NIL"));
        return;
    }
    REQUIRE(write_form_of(value) <= WRITE_QUOTED);
    add_quoted(out, value);
}
