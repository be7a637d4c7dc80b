/*
 * How a server line begins (RFC 9051 sections 7 and 9): what kind of line it is, whose, with what
 * status, and whether it carries capabilities. One reader for whole replies and for lines that are
 * relayed while they are still coming in.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/limits.h"
#include "waypost/base/result.h"
#include "waypost/base/slice.h"
#include "waypost/imap/reply.h"

/* More than that is never needed to know a line: tag, ` PREAUTH `, `[CAPABILITY`, one byte. */
#define HEAD_MAX (LIMIT_TAG + 32u)

struct head {
    enum reply_kind kind;
    enum reply_status status;
    struct slice tag; /* REPLY_TAGGED */
    size_t body;      /* offset behind status and space, behind `* `, or behind `+` */
    bool caps;        /* `* CAPABILITY` or a status with `[CAPABILITY` */
    size_t words;     /* caps: offset behind that keyword */
};

/* `begin` is the line from its first byte on, as far as it is there. NEED_MORE: not enough to say,
 * never when a line end or HEAD_MAX bytes are there. BAD: no legal beginning. */
MUST_USE
enum result head_read(struct slice begin, struct head *out);
