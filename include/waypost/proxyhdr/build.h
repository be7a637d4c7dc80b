/*
 * The PROXY protocol header for a connection to a backend (haproxy's proxy-protocol.txt, sections
 * 2.1 and 2.2): the first bytes of that connection, in clear, before TLS. It must leave in one
 * write, because receivers read it in one go.
 */
#pragma once

#include "waypost/base/addr.h"
#include "waypost/base/check.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

/* No header is longer. Dovecot takes no more than 1500 bytes. */
#define PROXYHDR_BUILT_MAX 1488u
#define PROXYHDR_ID_MAX    128u /* section 2.2.5, PP2_TYPE_UNIQUE_ID */
#define PROXYHDR_TEXT_MAX  255u /* any other fact */

/* Everything is borrowed. Version 2 says what is there: a text that is empty, NULL or longer than
 * its limit is left out. Version 1 has room for the addresses only. */
struct proxyhdr_facts {
    unsigned version; /* 1 or 2 */
    /* Of the client's own connection. Both NULL for a connection that the proxy makes for itself,
     * such as a probe: the header is then UNKNOWN or LOCAL, and nothing below is said. */
    const struct addr *source, *destination;
    struct slice unique_id; /* the session's */
    const char *authority;  /* SNI */
    const char *alpn;
    bool tls;                /* the client spoke TLS to us; without it nothing below is said */
    bool resumed;            /* the TLS session is an earlier one, and so is its certificate */
    bool verified;           /* the client showed a certificate and we verified it */
    const char *tls_version; /* "TLSv1.3" */
    const char *tls_cipher;  /* "TLS_AES_128_GCM_SHA256" */
    const char *tls_cn;      /* common name in the client's certificate; NULL: none was shown */
};

/* Appends the header. Addresses of two families are "PROXY UNKNOWN" in version 1 and two IPv6
 * addresses, one of them mapped, in version 2. False when the builder overflows (it never does
 * with room for PROXYHDR_BUILT_MAX bytes and the NUL); what it then holds is of no use. */
MUST_USE
bool proxyhdr_build(const struct proxyhdr_facts *facts, struct str *out);
