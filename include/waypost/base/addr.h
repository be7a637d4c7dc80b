/*
 * Internet addresses as values: IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291 section
 * 2.5.5.2), so that one comparison serves both families. Pure text and bytes, no sockets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "waypost/base/check.h"
#include "waypost/base/slice.h"

#define ADDR_TEXT 64u /* "[" 45 "]:" 5 and the NUL, rounded up */

struct addr {
    unsigned char ip[16];
    uint16_t port; /* host byte order; 0 when unknown */
};

struct cidr {
    unsigned char ip[16];
    unsigned bits; /* 0..128, counted over the mapped form */
};

bool addr_is_v4(const struct addr *a);
/* From 4 or 16 bytes in network order. */
struct addr addr_from_bytes(const void *bytes, size_t len, uint16_t port);
/* "192.0.2.7", "2001:db8::1": no port, no brackets, no scope. */
MUST_USE
bool addr_parse(struct slice text, struct addr *out);
/* "192.0.2.0/24", "2001:db8::/32", or a bare address for a single host. Host bits must be zero. */
MUST_USE
bool cidr_parse(struct slice text, struct cidr *out);
bool cidr_has(const struct cidr *net, const struct addr *a);
/* "192.0.2.7" or "2001:db8::1"; with_port "192.0.2.7:993" or "[2001:db8::1]:993". Returns out. */
const char *addr_format(const struct addr *a, bool with_port, char out[ADDR_TEXT]);
