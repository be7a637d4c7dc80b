/*
 * Incremental assembler of one client command before login (RFC 9051 sections 2.2, 4.3 and 9;
 * RFC 7888 for non-synchronising literals). It finds where a command ends; it judges size and
 * framing, not meaning. The bytes stay in the port's queue, at its head, until the caller drops
 * scan.len of them; bytes behind belong to the next command and are never looked at.
 */
#pragma once

#include "waypost/base/buf.h"
#include "waypost/base/limits.h"
#include "waypost/base/result.h"
#include "waypost/imap/literal.h"

struct scan_limits {
    size_t line;      /* one line, its line end included */
    size_t sasl_line; /* a line that begins with `tag SP AUTHENTICATE SP`, or read by scan_line */
    size_t literal;   /* one literal */
};

enum scan_fault {
    SCAN_FINE,
    SCAN_LINE_TOO_LONG,
    SCAN_LITERAL_TOO_BIG, /* of either form; a non-synchronising one has been swallowed */
    SCAN_LITERALS_TOO_MANY,
    SCAN_NUL,     /* NUL in a line or literal: never legal here */
    SCAN_BARE_CR, /* CR that no LF follows */
    SCAN_HOPELESS /* more than LIMIT_SKIP bytes of a refused command: hang up */
};

struct scan {
    size_t pos;                   /* bytes of the queue already examined */
    size_t line_start;            /* of the current line within the queue */
    uint64_t literal_left;        /* bytes of the current literal not yet seen */
    struct literal_header header; /* at the end of the line as far as it was examined */
    unsigned literals;
    bool skipping; /* refused: bytes are dropped until the command's true end */
    size_t skipped;
    enum scan_fault fault;
    /* Results. */
    size_t len;          /* DONE: bytes of the command, last line end included */
    char tag[LIMIT_TAG]; /* BAD: the command's tag if it was legible, so that it can be answered */
    size_t tag_len;
};

void scan_reset(struct scan *s);
/* Looks for one whole command at the head of `in`.
 *   NEED_MORE  not all there.
 *   CONTINUE   a synchronising literal within the limits was announced: send `+` once, call again.
 *   DONE       s->len bytes are the command. A line end is CRLF or a lenient bare LF.
 *   BAD        s->fault says why; the offending bytes, to the end of that command (literals
 *              included), are already dropped from `in`, so nothing of them can be executed.
 *              A refused synchronising literal is never waited for.
 * After DONE (and the caller's buf_drop) or BAD call scan_reset. */
MUST_USE
enum result scan_command(struct scan *s, struct buf *in, const struct scan_limits *limits);
/* The same for a line that is not a command: a SASL response. Literals mean nothing here. Never
 * returns CONTINUE. */
MUST_USE
enum result scan_line(struct scan *s, struct buf *in, const struct scan_limits *limits);
