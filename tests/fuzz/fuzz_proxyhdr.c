/*
 * The PROXY header. Whatever comes: the first prefix that decides, decides for good; what is
 * accepted lies within the bounds; what is refused says why and leaves no facts. What was read is
 * written again and reads the same; any bytes, taken for facts, make a header that reads back.
 */
#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/proxyhdr/build.h"
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

static struct proxyhdr rebuild(const struct proxyhdr_facts *facts)
{
    char storage[PROXYHDR_BUILT_MAX + 1];
    struct str out = STR_ON(storage);
    struct proxyhdr hdr = {.fault = PROXYHDR_CRC};

    ENSURE(proxyhdr_build(facts, &out));
    ENSURE(proxyhdr_parse(str_slice(&out), &hdr) == DONE);
    ENSURE(hdr.len == out.len && hdr.version == facts->version);
    return hdr;
}

/* Version 1 cannot say again that one address of two was a mapped one. */
static void check_again(const struct proxyhdr *hdr)
{
    bool mixed = addr_is_v4(&hdr->source) != addr_is_v4(&hdr->destination);
    struct proxyhdr_facts facts = {
        .version = hdr->version,
        .source = hdr->local ? NULL : &hdr->source,
        .destination = hdr->local ? NULL : &hdr->destination,
        .authority = hdr->authority,
        .tls = hdr->tls,
    };
    struct proxyhdr back = rebuild(&facts), want = *hdr;

    want.len = back.len;
    if (hdr->version == 2 || !mixed)
        check_same(&back, &want);
    else
        ENSURE(back.local);
}

static struct slice cut(struct slice *data, size_t len)
{
    struct slice head = slice_take(*data, len);

    *data = slice_skip(*data, len);
    return head;
}

/* The next line as a text of any length up to 300; NULL when there is none. */
static const char *cut_text(struct slice *data, char storage[301])
{
    struct str text = str_on(storage, 301);
    struct slice line = slice_take(slice_cut(data, '\n'), 300);

    str_add(&text, slice_take(line, slice_find(line, '\0')));
    return line.len == 0 ? NULL : storage;
}

static void check_any_facts(struct slice data)
{
    char text[5][301];
    struct addr source, destination;
    struct proxyhdr_facts facts = {.source = &source, .destination = &destination};
    unsigned flags;

    if (data.len < 33)
        return;
    flags = (unsigned char)*cut(&data, 1).ptr;
    facts.version = (flags & 1) != 0 ? 1 : 2;
    source = addr_from_bytes(cut(&data, 16).ptr, (flags & 2) != 0 ? 4 : 16, 1);
    destination = addr_from_bytes(cut(&data, 16).ptr, (flags & 4) != 0 ? 4 : 16, 65535);
    facts.tls = (flags & 8) != 0;
    facts.verified = (flags & 16) != 0;
    facts.resumed = (flags & 32) != 0;
    facts.authority = cut_text(&data, text[0]);
    facts.alpn = cut_text(&data, text[1]);
    facts.tls_version = cut_text(&data, text[2]);
    facts.tls_cipher = cut_text(&data, text[3]);
    facts.tls_cn = cut_text(&data, text[4]);
    facts.unique_id = data;
    struct proxyhdr hdr = rebuild(&facts);
    ENSURE(hdr.tls == (facts.tls && facts.version == 2));
    ENSURE(hdr.local || memcmp(&hdr.source, &source, sizeof source) == 0);
    ENSURE(hdr.local || memcmp(&hdr.destination, &destination, sizeof destination) == 0);
    ENSURE(!hdr.local || facts.version == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    struct proxyhdr first = {0}, whole = {0};
    enum result decided = NEED_MORE;
    size_t seen = 0;

    check_any_facts(all);
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
    if (decided == DONE)
        check_again(&first);
    return 0;
}
