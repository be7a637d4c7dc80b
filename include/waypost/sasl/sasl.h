/*
 * The server side of SASL (RFC 4422), one row per mechanism, and the credentials they yield. Pure:
 * the caller moves base64 lines, this module what is inside them.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/result.h"
#include "waypost/base/secret.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"
#include "waypost/conf/conf.h"

enum credential_kind {
    CREDENTIAL_PASSWORD,    /* LOGIN, PLAIN: `password` can be used anywhere */
    CREDENTIAL_TOKEN,       /* XOAUTH2, OAUTHBEARER: `password` is the bearer token */
    CREDENTIAL_RELAYED,     /* SCRAM: `message` opens an exchange between client and backend */
    CREDENTIAL_CERTIFICATE, /* EXTERNAL: what the client's TLS certificate says */
};

/* What a client sent to log in. Every member is wiped by credentials_clear. */
struct credentials {
    enum credential_kind kind;
    enum conf_mechanism mechanism;
    /* User name as sent, 1..LIMIT_USER bytes of UTF-8. Empty for a certificate, and for OAUTHBEARER
     * when the message names nobody (RFC 7628 section 3.1). */
    struct secret authcid;
    struct secret authzid;  /* empty: same as authcid, also when the client repeated it */
    struct secret password; /* 1..LIMIT_SECRET bytes, no NUL, CR or LF; empty if there is none */
    /* The first message exactly as decoded, of tokens and relayed mechanisms: what is replayed at
     * the backend byte for byte. */
    struct secret message;
};

void credentials_clear(struct credentials *c);
/* UTF-8, no NUL, CR, LF or other control character, 1..LIMIT_USER bytes. */
bool credentials_user_legal(struct slice name);

struct sasl {
    const struct sasl_row *row; /* NULL: no exchange */
    unsigned step;
};

struct sasl_row {
    const char *name;
    enum conf_mechanism mechanism;
    bool client_first; /* an initial response is allowed (RFC 4959 section 3) */
    bool relayed;      /* behind the first message everything is between client and backend */
    /* One decoded client response, the initial one included. DONE: `c` is filled. CONTINUE: send
     * `challenge` (raw, static, not yet base64) and wait; `c` may be half filled, so clear it when
     * the client gives up. BAD: malformed or out of memory, `c` is empty. After DONE and BAD the
     * exchange may begin anew. */
    enum result (*respond)(struct sasl *s, struct slice response, struct credentials *c,
                           struct slice *challenge);
    /* The first challenge when there is no initial response: "" or text. */
    struct slice (*first)(void);
};

/* NULL when unknown or not enabled in `enabled` (indexed by enum conf_mechanism). */
const struct sasl_row *sasl_find(struct slice name, const bool enabled[CONF_MECH_COUNT]);
/* The registered name, e.g. "SCRAM-SHA-256"; static. */
const char *sasl_name(enum conf_mechanism mechanism);
/* Appends " AUTH=PLAIN AUTH=LOGIN" for what is enabled. */
void sasl_advertise(const bool enabled[CONF_MECH_COUNT], struct str *out);
/* The PLAIN message (RFC 4616 section 2) for logging in at a backend: authzid NUL authcid NUL
 * password. False, and nothing is added, when a part is one that no exchange would have yielded or
 * when the builder overflows. The message is as secret as the password: the caller wipes it. */
MUST_USE
bool sasl_plain_message(struct slice authzid, struct slice authcid, struct slice password,
                        struct str *out);
/* The first message of XOAUTH2 or OAUTHBEARER (RFC 7628 section 3.1) for logging in at a backend;
 * an empty `user` leaves the name to the token, which XOAUTH2 cannot. False, and nothing useful is
 * added, on the same conditions as above. */
MUST_USE
bool sasl_oauth_message(enum conf_mechanism mechanism, struct slice user, struct slice token,
                        struct str *out);
/* The user that a token names: the string `claim` of the payload of a JWT (RFC 7519 section 3). The
 * signature is not verified, because nothing is granted on the strength of it: the name only
 * chooses the backend, which gets the token and judges it. False when the token is no signed JWT,
 * has no such claim, or one that is no legal user name; `out` is empty then. */
MUST_USE
bool sasl_token_claim(struct slice token, const char *claim, struct secret *out);
