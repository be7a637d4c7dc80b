/*
 * A login referral (RFC 2221 section 4): a backend says in a response code that the user lives on
 * another server. It names that server with an IMAP URL (RFC 5092 section 11). Whether to go there
 * is not decided here; a host that stands in no table is never dialled.
 */
#pragma once

#include <stdint.h>

#include "waypost/base/check.h"
#include "waypost/base/limits.h"
#include "waypost/base/slice.h"

#define REFERRAL_MECHANISM 20u /* RFC 4422 section 3.1 */

struct referral {
    /* In lower case: a DNS name of letters, digits, "-" and "_", or an IP address as addr_format
     * writes it, without brackets. */
    char host[LIMIT_HOST + 1];
    uint16_t port;                          /* 0: none given */
    char user[LIMIT_USER + 1];              /* decoded, legal as a user name; "" if none */
    char mechanism[REFERRAL_MECHANISM + 1]; /* SASL, in upper case; "" for none and for "*" */
};

/* Reads a response code as struct reply has it, without its brackets:
 * `REFERRAL imap://[user][;AUTH=mechanism]@host[:port][/...]`. False, and *out untouched, on
 * anything else: another scheme (there is no registered one for TLS), a second URL, a password, an
 * empty part, bytes that ought to be percent-encoded (but for `@` in a user name, which Dovecot
 * sends), a user name with control characters or bad UTF-8, a host that is neither a name nor an
 * address. What follows the slash is not looked at beyond being legal in a URL. */
MUST_USE
bool referral_parse(struct slice code, struct referral *out);
