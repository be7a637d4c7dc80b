/*
 * The PROXY protocol header, versions 1 and 2 (haproxy's proxy-protocol.txt, sections 2.1 and 2.2):
 * read at the very start of a connection, before TLS.
 */
#pragma once

#include "waypost/base/addr.h"
#include "waypost/base/check.h"
#include "waypost/base/result.h"
#include "waypost/base/slice.h"

#define PROXYHDR_V1_MAX 107u /* section 2.1: with CRLF */
/* Section 2.2 lets a sender write 65551 bytes. Addresses, SNI, TLS facts and a unique id need less
 * than 2 KiB; the bound leaves room for a sender that passes on a whole certificate. */
#define PROXYHDR_MAX 8192u

enum proxyhdr_fault {
    PROXYHDR_FINE,
    PROXYHDR_ABSENT, /* the bytes are something else */
    PROXYHDR_MALFORMED,
    PROXYHDR_CRC,     /* a CRC32c TLV is present and wrong */
    PROXYHDR_TOO_LONG /* no line end in PROXYHDR_V1_MAX bytes, or more than PROXYHDR_MAX announced
                       */
};

struct proxyhdr {
    size_t len;       /* DONE: bytes of the header */
    unsigned version; /* 1 or 2 */
    /* LOCAL, UNKNOWN, UNSPEC, or a family that is no TCP: keep the addresses of the connection
     * itself. The rest of the header was skipped unread, and nothing below is set. */
    bool local;
    struct addr source, destination;
    bool tls;            /* PP2_TYPE_SSL says that the client spoke TLS to the sender */
    char authority[254]; /* PP2_TYPE_AUTHORITY (SNI), "" if none or not a plain host name */
    enum proxyhdr_fault fault;
};

/* NEED_MORE: *out is untouched. DONE: all of it is set. BAD: out->fault says why, the rest is zero.
 * Once decided, more bytes change nothing. ABSENT is decided at the first byte that fits neither
 * signature. Unknown TLVs are skipped and may come in any order. Version 1 addresses must both be
 * of the family that the line announces, and values that section 2.2 leaves unassigned are
 * malformed, because the specification wants such a connection dropped. */
MUST_USE
enum result proxyhdr_parse(struct slice bytes, struct proxyhdr *out);
/* One phrase for the log. */
const char *proxyhdr_fault_text(enum proxyhdr_fault fault);
