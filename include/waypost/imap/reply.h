/*
 * One server reply: a line with whatever literals it holds (RFC 9051 sections 2.2.2, 7 and 9).
 * Incremental; the bytes stay at the head of the queue until the caller drops reply.len of them.
 * Slices point into the queue.
 */
#pragma once

#include "waypost/base/buf.h"
#include "waypost/base/result.h"
#include "waypost/base/slice.h"
#include "waypost/imap/literal.h"

enum reply_kind { REPLY_UNTAGGED, REPLY_TAGGED, REPLY_CONTINUE };
enum reply_status {
    STATUS_OTHER, /* data: `* CAPABILITY`, `* ID`, `* 3 EXISTS` */
    STATUS_OK,
    STATUS_NO,
    STATUS_BAD,
    STATUS_PREAUTH,
    STATUS_BYE
};

struct reply {
    size_t pos; /* bytes already examined */
    size_t line_start;
    size_t literal_left;
    struct literal_header header; /* at the end of the line as far as it was examined */
    /* Results of DONE. */
    size_t len; /* of the reply in the queue, last line end included */
    enum reply_kind kind;
    enum reply_status status;
    struct slice tag; /* REPLY_TAGGED */
    struct slice
        word; /* STATUS_OTHER: first word of the data ("CAPABILITY"; for numbers the number) */
    struct slice code; /* inside the brackets, e.g. "CAPABILITY IMAP4rev1 IDLE"; empty if none */
    struct slice text; /* behind status and code; for STATUS_OTHER all behind the word; for
                          REPLY_CONTINUE all behind `+` and one space (the space may be missing) */
};

void reply_reset(struct reply *r);
/* NEED_MORE, DONE, or BAD (over LIMIT_REPLY, NUL, bare CR, no legal beginning). A line end is CRLF
 * or LF; what a read returned never matters, only bytes do. Literals count in untagged data only,
 * not in the text of a status or continuation. */
MUST_USE
enum result reply_next(struct reply *r, const struct buf *in);
/* The words of a reply that lists capabilities, in `* CAPABILITY` or in a response code (RFC 9051
 * sections 7.2.2 and 7.1). False for any other reply; then *words is untouched. */
MUST_USE
bool reply_capabilities(const struct reply *r, struct slice *words);
/* First atom of the response code ("REFERRAL" of "REFERRAL imap://..."). */
struct slice reply_code_name(const struct reply *r);
