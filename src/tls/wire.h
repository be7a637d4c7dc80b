/*
 * The BIO through which OpenSSL reaches a pair of buffers. Private to src/tls.
 */
#pragma once

#include <openssl/bio.h>

#include "waypost/base/buf.h"
#include "waypost/base/check.h"

/* What the BIO reads from and writes to. Both are NULL between two calls of the engine. */
struct tls_wire {
    struct buf *in, *out; /* borrowed for the length of a call */
    bool starved;         /* a write failed because no block was to be had */
};

/* A BIO over `wire`, which it borrows for life. NULL when memory is short. */
MUST_USE
BIO *tls_wire_bio(struct tls_wire *wire);
