/*
 * Stands in for uv_getaddrinfo and uv_cancel in the program that names it: answers what the test
 * wants, when it wants, without a name server.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#define RESOLVER_ADDRESSES 20u

struct resolver {
    const char *addresses[RESOLVER_ADDRESSES]; /* numeric; up to the first NULL */
    int status;                                /* libuv error instead of addresses, 0 */
    bool refuse;                               /* uv_getaddrinfo itself fails */
    unsigned asked;                            /* look-ups so far */
    unsigned cancelled;
    uv_getaddrinfo_t *pending; /* at most one at a time */
    uv_getaddrinfo_cb done;
};

extern struct resolver resolver;

/* Answers the pending look-up, from inside this call. */
void resolver_answer(void);
