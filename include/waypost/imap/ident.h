/*
 * Who is behind this connection, told to a backend in an ID command (RFC 2971): the client's own
 * fields, and those by which Dovecot and Stalwart hand addresses and a session id from one proxy to
 * the next. A client's own "x-" fields are never passed on: they would pass for ours.
 */
#pragma once

#include "waypost/base/addr.h"
#include "waypost/base/check.h"
#include "waypost/base/limits.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

#define IDENT_OWN_FIELDS 8u   /* that ident_command adds */
#define IDENT_KEPT       512u /* bytes kept of the client's fields */
/* Room for any command of ident_command with a session id and an SNI of at most 255 bytes. */
#define IDENT_COMMAND_MAX 4096u

/* What a client said about itself before login. Zero-initialise; end with ident_clear. */
struct ident_kept {
    char *fields; /* owned, or NULL: key NUL value NUL, again and again */
    size_t len;   /* of fields, at most IDENT_KEPT */
    unsigned count;
    bool has_ttl;
    unsigned ttl; /* of `x-proxy-ttl`, the smallest that was sent: proxies left to pass through */
};

/* A command_id_field; `ctx` is a struct ident_kept. Left out are: keys that begin with "x-" in any
 * case (of x-proxy-ttl the number is kept), keys that were there before (RFC 2971 section 3.3),
 * NIL, what cannot be sent as a quoted string, and what goes beyond IDENT_KEPT bytes or leaves no
 * room for our own fields. Fields of an earlier ID stay unless ident_clear came first. */
void ident_keep(void *ctx, struct slice key, struct slice value);
/* Frees, and leaves an empty one. */
void ident_clear(struct ident_kept *kept);

/* All borrowed. */
struct ident_facts {
    const struct ident_kept *kept; /* may be NULL */
    struct slice session_id;
    const struct addr *client; /* x-originating-ip and -port */
    const struct addr *local;  /* x-connected-ip and -port: where the client arrived */
    unsigned ttl;              /* x-proxy-ttl, already counted down */
    bool tls;                  /* x-client-transport */
    struct slice sni;          /* x-connected-name; empty: none */
};

/* Appends `ID (...)`: name and argument, no tag, no line end, quoted strings only. A session id or
 * SNI that is empty, cannot be quoted or is longer than RFC 2971 allows is left out. False when the
 * builder overflows; what it then holds is of no use. */
MUST_USE
bool ident_command(const struct ident_facts *facts, struct str *out);
