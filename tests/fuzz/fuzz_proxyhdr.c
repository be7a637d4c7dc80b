/*
 * The PROXY header. Whatever comes: the first prefix that decides, decides for good; what is
 * accepted lies within the bounds; what is refused says why and leaves no facts.
 */
#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/proxyhdr/proxyhdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_done(const struct proxyhdr *hdr, size_t seen)
{
    size_t max = hdr->version == 1 ? PROXYHDR_V1_MAX : PROXYHDR_MAX;

    ENSURE(hdr->version == 1 || hdr->version == 2);
    ENSURE(hdr->len == seen && hdr->len <= max);
    ENSURE(hdr->fault == PROXYHDR_FINE);
    ENSURE(strlen(hdr->authority) <= LIMIT_HOST);
    ENSURE(!hdr->local || (hdr->source.port == 0 && !hdr->tls && hdr->authority[0] == '\0'));
}

static void check_bad(const struct proxyhdr *hdr, size_t seen)
{
    ENSURE(hdr->fault != PROXYHDR_FINE && proxyhdr_fault_text(hdr->fault)[0] != '\0');
    ENSURE(hdr->fault != PROXYHDR_ABSENT || seen <= 13);
    ENSURE(hdr->len == 0 && !hdr->local && !hdr->tls && hdr->authority[0] == '\0');
}

static void check_same(const struct proxyhdr *a, const struct proxyhdr *b)
{
    ENSURE(a->len == b->len && a->version == b->version && a->fault == b->fault);
    ENSURE(a->local == b->local && a->tls == b->tls);
    ENSURE(memcmp(&a->source, &b->source, sizeof a->source) == 0);
    ENSURE(memcmp(&a->destination, &b->destination, sizeof a->destination) == 0);
    ENSURE(strcmp(a->authority, b->authority) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    struct proxyhdr first = {0}, whole = {0};
    enum result decided = NEED_MORE;
    size_t seen = 0;

    while (decided == NEED_MORE && seen <= size)
        decided = proxyhdr_parse(slice_take(all, seen++), &first);
    ENSURE(proxyhdr_parse(all, &whole) == decided);
    if (decided == NEED_MORE)
        return 0;
    ENSURE(decided == DONE || decided == BAD);
    if (decided == DONE)
        check_done(&first, seen - 1);
    else
        check_bad(&first, seen - 1);
    check_same(&first, &whole);
    return 0;
}
