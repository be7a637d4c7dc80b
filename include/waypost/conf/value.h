/*
 * The small languages inside JSON strings: durations, sizes, addresses, names. Pure.
 */
#pragma once

#include <stdint.h>

#include "waypost/base/check.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

/* "500ms", "30s", "5m", "1h", in milliseconds; false beyond `max`. */
MUST_USE
bool value_duration(struct slice text, uint64_t max, uint64_t *ms);
/* "512B", "64KiB", "1MiB", "1GiB", in bytes; false beyond `max`. */
MUST_USE
bool value_size(struct slice text, uint64_t max, uint64_t *bytes);
/* The shortest text that value_duration reads as `ms`. */
void value_add_duration(struct str *out, uint64_t ms);

/* "host:port" or "[IPv6]:port", port 1..65535; `host` is without brackets and either an IP address
 * or a DNS name. */
MUST_USE
bool value_endpoint(struct slice text, struct slice *host, uint16_t *port);
/* A DNS host name (RFC 1123 section 2.1, underscores tolerated) that cannot be mistaken for an
 * address: its last label is not a number. */
bool value_is_host_name(struct slice text);
bool value_is_ip(struct slice text);
/* IP address in 127.0.0.0/8, ::1, or the name localhost. */
bool value_is_loopback(struct slice host);
#define VALUE_SHA256 32u
/* A SHA-256 in base64 (44 characters, padded) or hexadecimal (64). */
MUST_USE
bool value_sha256(struct slice text, unsigned char out[VALUE_SHA256]);
/* An IMAP atom without "[" and "]", optionally with one final `*`: a capability (RFC 9051
 * section 9). */
bool value_is_capability(struct slice text, bool star);
