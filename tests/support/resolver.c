/*
 * A resolver with one pending look-up. Defined in the program, it takes the place of libuv's.
 */
#include "support/resolver.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "waypost/base/check.h"

struct resolver resolver;

int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb, const char *node,
                   const char *service, const struct addrinfo *hints)
{
    UNUSED(loop);
    UNUSED(node);
    UNUSED(service);
    UNUSED(hints);
    if (resolver.refuse)
        return UV_ENOMEM;
    REQUIRE(resolver.pending == NULL);
    resolver.asked++;
    resolver.pending = req;
    resolver.done = cb;
    return 0;
}

int uv_cancel(uv_req_t *req)
{
    REQUIRE((void *)req == (void *)resolver.pending);
    resolver.cancelled++;
    resolver.status = UV_ECANCELED;
    return 0;
}

/* freeaddrinfo takes a chain apart node by node, so two answers may be linked. */
static struct addrinfo *chain(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *first = NULL, **end = &first;

    for (unsigned i = 0; i < RESOLVER_ADDRESSES && resolver.addresses[i] != NULL; i++) {
        if (getaddrinfo(resolver.addresses[i], NULL, &hints, end) != 0) {
            fprintf(stderr, "resolver: %s\n", resolver.addresses[i]);
            abort();
        }
        end = &(*end)->ai_next;
    }
    return first;
}

void resolver_answer(void)
{
    uv_getaddrinfo_t *req = resolver.pending;

    REQUIRE(req != NULL);
    resolver.pending = NULL;
    resolver.done(req, resolver.status, resolver.status == 0 ? chain() : NULL);
}
