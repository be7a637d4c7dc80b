/*
 * Names and arguments of the commands a client may send before login (RFC 9051 sections 6.1, 6.2
 * and 9; RFC 2971; RFC 4959; RFC 5161). Borrows the bytes that scan found whole; credentials are
 * copied into a struct secret and nowhere else. Decides nothing about the session.
 */
#include "waypost/imap/command.h"

#include "chars.h"
#include "token.h"
#include "waypost/base/limits.h"

const struct command_row command_table[COMMAND_COUNT] = {
    [COMMAND_UNKNOWN] = {"", SHAPE_REST, true},
    [COMMAND_CAPABILITY] = {"CAPABILITY", SHAPE_NONE, true},
    [COMMAND_NOOP] = {"NOOP", SHAPE_NONE, true},
    [COMMAND_LOGOUT] = {"LOGOUT", SHAPE_NONE, true},
    [COMMAND_ID] = {"ID", SHAPE_REST, true},
    [COMMAND_ENABLE] = {"ENABLE", SHAPE_REST, true},
    [COMMAND_STARTTLS] = {"STARTTLS", SHAPE_NONE, true},
    [COMMAND_LOGIN] = {"LOGIN", SHAPE_ASTRINGS, false},
    [COMMAND_AUTHENTICATE] = {"AUTHENTICATE", SHAPE_SASL, false},
};

bool command_tag_legal(struct slice tag)
{
    if (tag.len == 0 || tag.len >= LIMIT_TAG)
        return false;
    for (size_t i = 0; i < tag.len; i++) {
        if (!imap_tag_char(tag.ptr[i]))
            return false;
    }
    return true;
}

static enum command_name name_of(struct slice word)
{
    for (enum command_name c = COMMAND_UNKNOWN + 1; c < COMMAND_COUNT; c++) {
        if (slice_eq_nocase(word, slice_str(command_table[c].name)))
            return c;
    }
    return COMMAND_UNKNOWN;
}

/* `spaced`: a space followed the name. */
static bool args_fit(enum command_name name, bool spaced, struct slice args)
{
    switch (command_table[name].shape) {
    case SHAPE_NONE:
        return !spaced;
    case SHAPE_ASTRINGS:
    case SHAPE_SASL:
        return args.len > 0;
    case SHAPE_REST:
        break;
    }
    return true;
}

static struct slice without_line_end(struct slice bytes)
{
    if (bytes.len > 0 && bytes.ptr[bytes.len - 1] == '\n')
        bytes.len--;
    if (bytes.len > 0 && bytes.ptr[bytes.len - 1] == '\r')
        bytes.len--;
    return bytes;
}

enum command_error command_parse(struct slice bytes, struct command *out)
{
    struct slice rest = without_line_end(bytes);
    struct command c = {.name = COMMAND_UNKNOWN};
    bool spaced;

    c.tag = slice_cut(&rest, ' ');
    if (!command_tag_legal(c.tag))
        return COMMAND_BAD_TAG;
    out->tag = c.tag;
    if (rest.len == 0)
        return COMMAND_NO_NAME;
    spaced = slice_find(rest, ' ') < rest.len;
    c.word = slice_cut(&rest, ' ');
    c.name = name_of(c.word);
    c.args = rest;
    *out = c;
    return args_fit(c.name, spaced, c.args) ? COMMAND_FINE : COMMAND_BAD_ARGS;
}

bool command_astring(struct slice *args, size_t max, struct secret *out)
{
    struct slice rest = *args;
    struct token token;
    size_t len;

    if (!token_take(&rest, &token))
        return false;
    len = token_len(&token);
    if (len > max || !secret_set(out, token.raw))
        return false;
    if (out->len > 0) {
        token.raw = secret_reveal(out);
        token_copy(&token, out->data);
        explicit_bzero(out->data + len, out->len - len);
        out->len = len;
    }
    *args = rest;
    return true;
}

static bool take_char(struct slice *args, char c)
{
    if (args->len == 0 || args->ptr[0] != c)
        return false;
    *args = slice_skip(*args, 1);
    return true;
}

bool command_login(struct slice args, struct secret *user, struct secret *password)
{
    if (command_astring(&args, LIMIT_USER, user) && take_char(&args, ' ') &&
        command_astring(&args, LIMIT_SECRET, password) && args.len == 0)
        return true;
    secret_clear(user);
    secret_clear(password);
    return false;
}

void command_login_user(struct slice args, struct str *out)
{
    struct secret user = SECRET_EMPTY;

    if (command_astring(&args, LIMIT_USER, &user))
        str_add(out, secret_reveal(&user));
    secret_clear(&user);
}

bool command_authenticate(struct slice args, struct command_authenticate *out)
{
    struct command_authenticate found = {.initial = SLICE("")};

    found.mechanism = slice_take(args, imap_astring_run(args));
    args = slice_skip(args, found.mechanism.len);
    if (found.mechanism.len == 0)
        return false;
    if (args.len > 0) {
        /* All of base64 and nothing that could end a line when the response is sent on. */
        if (!take_char(&args, ' ') || args.len == 0 || imap_astring_run(args) < args.len)
            return false;
        found.has_initial = true;
        if (!slice_eq(args, SLICE("=")))
            found.initial = args;
    }
    *out = found;
    return true;
}

/* One string of an ID list, unquoted into `storage`. */
static bool id_string(struct slice *args, char *storage, size_t max, struct slice *out)
{
    struct token token;

    if (!token_take(args, &token) || token.kind == TOKEN_ATOM || token_len(&token) > max)
        return false;
    token_copy(&token, storage);
    *out = slice_of(storage, token_len(&token));
    return true;
}

static bool id_pair(struct slice *args, command_id_field *field, void *ctx)
{
    const struct slice nil = SLICE("NIL");
    char key_text[LIMIT_ID_KEY], value_text[LIMIT_ID_VALUE];
    struct slice key, value = {NULL, 0};

    if (!id_string(args, key_text, sizeof key_text, &key) || !take_char(args, ' '))
        return false;
    if (slice_starts_nocase(*args, nil))
        *args = slice_skip(*args, nil.len);
    else if (!id_string(args, value_text, sizeof value_text, &value))
        return false;
    if (field != NULL)
        field(ctx, key, value);
    return true;
}

static bool id_list(struct slice args, command_id_field *field, void *ctx)
{
    unsigned pairs = 0;

    if (!take_char(&args, '('))
        return false;
    while (!take_char(&args, ')')) {
        if (pairs > 0 && !take_char(&args, ' '))
            return false;
        if (pairs++ == LIMIT_ID_FIELDS || !id_pair(&args, field, ctx))
            return false;
    }
    return args.len == 0;
}

bool command_id(struct slice args, command_id_field *field, void *ctx)
{
    if (slice_eq_nocase(args, SLICE("NIL")))
        return true;
    /* Checked to the end before the first field is handed on. */
    return id_list(args, NULL, NULL) && (field == NULL || id_list(args, field, ctx));
}
