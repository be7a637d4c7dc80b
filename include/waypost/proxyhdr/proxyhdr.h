/*
 * The PROXY protocol header, versions 1 and 2 (haproxy's proxy-protocol.txt, sections 2.1 and 2.2):
 * read at the very start of a connection, before TLS.
 */
#pragma once

#include "waypost/base/addr.h"
#include "waypost/base/check.h"
#include "waypost/base/result.h"
#include "waypost/base/slice.h"

#define PROXYHDR_V1_MAX 107u           /* section 2.1: with CRLF */
#define PROXYHDR_MAX    (16u + 65535u) /* section 2.2 */

enum proxyhdr_fault {
    PROXYHDR_FINE,
    PROXYHDR_ABSENT, /* the bytes are something else */
    PROXYHDR_MALFORMED,
    PROXYHDR_CRC, /* a CRC32c TLV is present and wrong */
    PROXYHDR_TOO_LONG
};

struct proxyhdr {
    size_t len;       /* DONE: bytes of the header */
    unsigned version; /* 1 or 2 */
    bool local;       /* LOCAL or UNKNOWN: keep the addresses of the connection itself */
    struct addr source, destination;
    bool tls;            /* PP2_TYPE_SSL says that the client spoke TLS to the sender */
    char authority[254]; /* PP2_TYPE_AUTHORITY (SNI), "" if none or not a plain host name */
    enum proxyhdr_fault fault;
};

/* NEED_MORE, DONE or BAD. Decides ABSENT at the first byte that fits neither signature. Unknown
 * TLVs are skipped; mixed or unknown families are `local`. */
MUST_USE
enum result proxyhdr_parse(struct slice bytes, struct proxyhdr *out);
const char *proxyhdr_fault_text(enum proxyhdr_fault fault);
