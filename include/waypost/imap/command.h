/*
 * A whole client command, named and taken apart (RFC 9051 section 9). Input is what scan_command
 * found; every slice points into it. Literal framing inside is trusted to have been checked.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/secret.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

enum command_name {
    COMMAND_UNKNOWN,
    COMMAND_CAPABILITY,
    COMMAND_NOOP,
    COMMAND_LOGOUT,
    COMMAND_ID,
    COMMAND_ENABLE,
    COMMAND_STARTTLS,
    COMMAND_LOGIN,
    COMMAND_AUTHENTICATE,
    COMMAND_COUNT
};

/* What follows the name. */
enum command_shape {
    SHAPE_NONE,     /* nothing at all */
    SHAPE_REST,     /* anything; judged by the command's own parser */
    SHAPE_ASTRINGS, /* LOGIN: userid SP password */
    SHAPE_SASL      /* AUTHENTICATE: mechanism [SP initial-response] */
};

struct command_row {
    const char *name;
    enum command_shape shape;
    bool in_clear; /* may be carried out on a connection without TLS */
};

extern const struct command_row command_table[COMMAND_COUNT];

enum command_error {
    COMMAND_FINE,
    COMMAND_BAD_TAG,  /* no tag, an illegal one, or longer than LIMIT_TAG: answer untagged */
    COMMAND_NO_NAME,  /* a tag and nothing else */
    COMMAND_BAD_ARGS, /* arguments of the wrong shape */
};

struct command {
    struct slice tag;
    enum command_name name;
    struct slice word; /* the name as sent; may be unknown */
    struct slice args; /* behind the name and one space, without the final line end */
};

/* Splits tag, name and arguments. On COMMAND_BAD_ARGS and COMMAND_NO_NAME the tag is set, on
 * COMMAND_BAD_ARGS the name too. */
MUST_USE
enum command_error command_parse(struct slice bytes, struct command *out);
/* RFC 9051 section 9: 1*<ASTRING-CHAR except "+">, at most LIMIT_TAG - 1. */
bool command_tag_legal(struct slice tag);

/* Reads one astring (atom, quoted or literal) off the front of `*args` into `out`, undoing quotes.
 * Refuses NUL, CR and LF in the value (they could inject a command when sent on) and values over
 * `max` bytes. The caller checks the separator. */
MUST_USE
bool command_astring(struct slice *args, size_t max, struct secret *out);
/* LOGIN's two arguments. On false both are empty. */
MUST_USE
bool command_login(struct slice args, struct secret *user, struct secret *password);
/* Only the user name of a LOGIN, for the audit log of credentials sent in clear; "" if illegible.
 */
void command_login_user(struct slice args, struct str *out);

struct command_authenticate {
    struct slice mechanism;
    bool has_initial;     /* present, maybe empty: `=` (RFC 4959 section 3) */
    struct slice initial; /* base64 as sent; empty for `=` */
};
MUST_USE
bool command_authenticate(struct slice args, struct command_authenticate *out);

/* ID's argument: NIL or a list of string/nstring pairs (RFC 2971 section 3.3) within LIMIT_ID_*.
 * Each pair is given to `field` in order, values unquoted; a NIL value has ptr NULL. `field` may
 * be NULL, to check only. */
typedef void command_id_field(void *ctx, struct slice key, struct slice value);
MUST_USE
bool command_id(struct slice args, command_id_field *field, void *ctx);
