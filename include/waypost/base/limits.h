/*
 * Every bound of the program on one page; static_asserts relate them. Configurable limits have
 * their defaults here and may only move within the bounds given here. Sizes are bytes.
 */
#pragma once

#include <assert.h>

/* Buffers. A TLS record carries at most 16384 bytes of plaintext (RFC 8446 section 5.1). */
#define LIMIT_TLS_RECORD  16384u
#define LIMIT_BLOCK_SMALL 4096u
#define LIMIT_BLOCK_LARGE 20480u
#define LIMIT_BLOCK_HUGE  81920u
#define LIMIT_BUF         LIMIT_BLOCK_HUGE

/* One client command before login. */
#define LIMIT_TAG       128u  /* RFC 9051 sets none; nginx's 32 breaks legal clients */
#define LIMIT_LINE      8192u /* default of limits.line */
#define LIMIT_SASL_LINE 65536u
#define LIMIT_LITERAL   8192u
#define LIMIT_LITERALS  4u       /* literals in one command before login */
#define LIMIT_SKIP      1048576u /* bytes swallowed of one refused command before we hang up */
#define LIMIT_BAD       3u

/* Names and secrets. RFC 4616 section 2: authcid and authzid are at most 255 octets. */
#define LIMIT_USER      255u
#define LIMIT_SECRET    65536u
#define LIMIT_NESTING   16u /* levels in the payload of a token */
#define LIMIT_ID_FIELDS 30u /* RFC 2971 section 3.3 */
#define LIMIT_ID_KEY    30u
#define LIMIT_ID_VALUE  1024u

/* One backend reply during login, one line looked at during relay. */
#define LIMIT_REPLY      16384u
#define LIMIT_CAPS       4096u
#define LIMIT_CAPS_LINE  8192u
#define LIMIT_REFERRALS  3u /* followed in one login; RFC 2221 section 5 asks for a limit */
#define LIMIT_PROXY_HOPS 5u /* x-proxy-ttl that the first proxy of a chain begins with */

/* Routing. */
#define LIMIT_CANDIDATES 16u
#define LIMIT_ADDRESSES  16u /* addresses of one host name that are tried */
#define LIMIT_SOURCES    64u /* addresses of ours to connect to one backend from */
#define LIMIT_HOST       253u

/* One match of a pattern against a user name. An ordinary one takes fewer steps than the name has
 * bytes; these many take about a millisecond. */
#define LIMIT_PATTERN       4096u /* its text */
#define LIMIT_PATTERN_STEPS 20000u
#define LIMIT_PATTERN_DEPTH 2000u
#define LIMIT_PATTERN_HEAP  (1u << 20)

/* Configuration files. */
#define LIMIT_CONF_FILE    (64u << 20) /* waypost.json, routes.json */
#define LIMIT_USERS_FILE   (1u << 30)
#define LIMIT_CONF_ERRORS  1000u /* findings reported for one JSON file */
#define LIMIT_USERS_ERRORS 100u  /* findings reported for one users file */
#define LIMIT_WATCHES      1024u /* directories watched for changes of them */
#define LIMIT_POINTER      1024u /* text of a JSON pointer */
#define LIMIT_NAME         64u   /* of a listener, a backend */

/* Control socket. */
#define LIMIT_SOCKET_PATH     107u   /* unix(7): sun_path holds 108 bytes with its NUL */
#define LIMIT_CONTROL_REQUEST 16384u /* one line */
#define LIMIT_CONTROL_CLIENTS 128u

/* Counters: backends with some of their own, since the start of the process. */
#define LIMIT_COUNTED 4096u

/* Backends looked at at the same time. */
#define LIMIT_PROBES 128u

/* Log. */
#define LIMIT_LOG_LINE 2048u
#define LIMIT_LOG_TEXT 256u

static_assert(LIMIT_TLS_RECORD + 2048u < LIMIT_BLOCK_LARGE, "a whole record fits a large block");
static_assert(LIMIT_SASL_LINE + LIMIT_LINE <= LIMIT_BUF, "a SASL line fits one buffer");
static_assert(LIMIT_LITERALS * LIMIT_LITERAL + 4u * LIMIT_LINE <= LIMIT_BUF, "so does a LOGIN");
static_assert(LIMIT_REPLY <= LIMIT_BUF, "so does a backend reply");
static_assert(LIMIT_CAPS_LINE <= LIMIT_BUF, "so does a capability line");
