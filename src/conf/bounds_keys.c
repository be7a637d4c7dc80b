/*
 * The keys of waypost.json that are amounts and times: limits, timeouts, keepalive, placement.
 * Tables only; the kinds read.
 */
#include "conf/key.h"

const struct key cidr_element = {.kind = &kind_cidr, .size = sizeof(struct cidr)};

static const struct key limits_keys[] = {
    {"sessions", &kind_number, FIELD(struct conf_limits, sessions), .fallback = "10000", .min = 1,
     .max = 10000000, .help = "connections served at the same time"},
    {"unauthenticated", &kind_number, FIELD(struct conf_limits, unauthenticated),
     .fallback = "2000", .max = 10000000,
     .help = "connections without a login; beyond it the oldest of them makes room; 0: no limit"},
    {"unauthenticated_per_address", &kind_number,
     FIELD(struct conf_limits, unauthenticated_per_address), .fallback = "500", .max = 10000000,
     .help = "connections without a login from one address; more are closed; 0: no limit"},
    {"sessions_per_user", &kind_number, FIELD(struct conf_limits, sessions_per_user),
     .fallback = "500", .max = 10000000,
     .help = "logged-in sessions of one user, on all backends together; 0: no limit"},
    {"sessions_per_user_and_address", &kind_number,
     FIELD(struct conf_limits, sessions_per_user_and_address), .fallback = "0", .max = 10000000,
     .help = "logged-in sessions of one user from one address; 0: no limit"},
    {"sessions_per_address", &kind_number, FIELD(struct conf_limits, sessions_per_address),
     .fallback = "0", .max = 10000000,
     .help = "logged-in sessions from one address, which may be a whole office's; 0: no limit"},
    {"logins_per_minute_per_address", &kind_number,
     FIELD(struct conf_limits, logins_per_minute_per_address), .fallback = "0", .max = 10000000,
     .help = "attempts to log in from one address within a minute; 0: no limit"},
    {"trusted", &kind_list, FIELD(struct conf_limits, trusted),
     ALSO(struct conf_limits, trusted_count), .max = 1000, .element = &cidr_element,
     .help = "addresses, such as those of a webmail, to which no limit of an address and no delay "
             "of failed logins applies"},
    {"line", &kind_size, FIELD(struct conf_limits, line), .fallback = "8192", .min = 512,
     .max = 16384, .help = "longest command line before login"},
    {"sasl_line", &kind_size, FIELD(struct conf_limits, sasl_line), .fallback = "65536", .min = 512,
     .max = LIMIT_BUF - 512, .help = "longest line that carries SASL data"},
    {"literal", &kind_size, FIELD(struct conf_limits, literal), .fallback = "8192", .min = 64,
     .max = 16384, .help = "largest literal before login"},
    {"bad_commands", &kind_number, FIELD(struct conf_limits, bad_commands), .fallback = "3",
     .min = 1, .max = 1000, .help = "invalid commands before the client is cut off"},
};

/* The relations that base/limits.h asserts for the defaults. */
static void check_limits(struct reader *r, const struct place *at, const json_t *object, void *base)
{
    const struct conf_limits *limits = base;
    UNUSED(object);
    if (limits->sasl_line + limits->line > LIMIT_BUF)
        fault(r, at, "\"sasl_line\" and \"line\" together exceed %u bytes", LIMIT_BUF);
    if (LIMIT_LITERALS * limits->literal + 4 * limits->line > LIMIT_BUF)
        fault(r, at, "four times \"literal\" and \"line\" together exceed %u bytes", LIMIT_BUF);
}

static_assert(LIMIT_LITERALS == 4, "the message of check_limits says so");

const struct shape limits_shape = {SHAPE_KEYS(limits_keys), .check = check_limits};

static const struct key timeouts_keys[] = {
    {"handshake", &kind_duration, FIELD(struct conf_timeouts, handshake), .fallback = "\"15s\"",
     .min = MOMENT, .max = HOUR, .help = "for a TLS handshake with a client"},
    {"login", &kind_duration, FIELD(struct conf_timeouts, login), .fallback = "\"60s\"",
     .min = MOMENT, .max = HOUR, .help = "for a client to log in"},
    {"backend_connect", &kind_duration, FIELD(struct conf_timeouts, backend_connect),
     .fallback = "\"5s\"", .min = MOMENT, .max = HOUR, .help = "for connecting to a backend"},
    {"backend_login", &kind_duration, FIELD(struct conf_timeouts, backend_login),
     .fallback = "\"30s\"", .min = MOMENT, .max = HOUR,
     .help = "for each answer of a backend until the login there has succeeded"},
    /* RFC 9051 section 5.4: at least 30 minutes. */
    {"idle", &kind_duration, FIELD(struct conf_timeouts, idle), .fallback = "\"35m\"",
     .min = 30 * MINUTE, .max = 7 * 24 * HOUR,
     .help = "silence on both sides before a logged-in session ends; IMAP asks for at least 30 "
             "minutes"},
    {"drain", &kind_duration, FIELD(struct conf_timeouts, drain), .fallback = "\"30s\"",
     .min = MOMENT, .max = HOUR, .help = "for the last bytes of a session to be delivered"},
    {"backend_lost", &kind_duration, FIELD(struct conf_timeouts, backend_lost),
     .fallback = "\"10s\"", .max = HOUR,
     .help = "idle clients of a backend that died are disconnected spread over that time, so that "
             "they do not all come back at once; \"0s\" is at once"},
};
const struct shape timeouts_shape = {SHAPE_KEYS(timeouts_keys)};

static const struct key keepalive_keys[] = {
    {"client", &kind_duration, FIELD(struct conf_keepalive, client), .fallback = "\"2m\"",
     .max = 2 * HOUR, .help = "TCP keepalive towards clients; \"0s\" turns it off"},
    {"backend", &kind_duration, FIELD(struct conf_keepalive, backend), .fallback = "\"2m\"",
     .max = 2 * HOUR, .help = "TCP keepalive towards backends; \"0s\" turns it off"},
};
const struct shape keepalive_shape = {SHAPE_KEYS(keepalive_keys)};

static const struct key placement_keys[] = {
    {"linger", &kind_duration, FIELD(struct conf_placement, linger), .fallback = "\"15m\"",
     .max = 7 * 24 * HOUR,
     .help = "after his last session a user stays at his backend for that time, at least for "
             "\"settle\""},
    {"settle", &kind_duration, FIELD(struct conf_placement, settle), .fallback = "\"2s\"",
     .max = HOUR,
     .help = "after a user's last session at one backend none begins at another for that time"},
    {"hold", &kind_duration, FIELD(struct conf_placement, hold), .fallback = "\"30s\"",
     .min = MOMENT, .max = HOUR,
     .help = "a login waits for that time while the user's sessions at another backend end"},
};

/* Where a user was must be known for as long as he may not be elsewhere. */
static void check_placement(struct reader *r, const struct place *at, const json_t *object,
                            void *base)
{
    struct conf_placement *placement = base;
    struct place hold = {.up = at, .name = "hold"};
    UNUSED(object);

    if (placement->linger < placement->settle)
        placement->linger = placement->settle;
    if (placement->hold <= placement->settle)
        fault(r, &hold,
              "a user who has just moved could not log in: \"hold\" must be longer than "
              "\"settle\"");
}

const struct shape placement_shape = {SHAPE_KEYS(placement_keys), .check = check_placement};
