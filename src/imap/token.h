/*
 * One string of a client command: atom, quoted or literal (RFC 9051 section 9, `astring`). Tokens
 * point into the command and own nothing.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/slice.h"

enum token_kind { TOKEN_ATOM, TOKEN_QUOTED, TOKEN_LITERAL };

struct token {
    enum token_kind kind;
    struct slice raw; /* the value; in a quoted string still with its backslashes */
};

/* Takes one token off the front of *args. False, and *args unchanged, when there is none, or when
 * its value holds NUL, CR or LF: sent on, they could pass for the end of a command. */
MUST_USE
bool token_take(struct slice *args, struct token *out);
/* Bytes of the value without backslashes. */
size_t token_len(const struct token *t);
/* Writes token_len(t) bytes to `to`, which may be t->raw's own memory. */
void token_copy(const struct token *t, char *to);
