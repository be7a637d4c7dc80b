/*
 * Look-ups and their answers. Owns the entries; a query is its asker's and only linked here. An
 * entry whose request runs is never freed. Never blocks, never calls `found` from inside dns_ask.
 */
#include "waypost/net/dns.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "waypost/net/socket.h"

struct dns_entry {
    struct list node;    /* in its bucket */
    struct list waiters; /* of struct dns_query */
    struct dns *dns;     /* borrowed */
    uv_getaddrinfo_t request;
    bool looking;             /* the request runs */
    struct dns_answer answer; /* the last good one; count 0: none yet */
    uint64_t fresh_until, used;
    char host[]; /* the key */
};

void dns_init(struct dns *dns, uv_loop_t *loop)
{
    dns->loop = loop;
    dns->closing = false;
    for (size_t i = 0; i < DNS_BUCKETS; i++)
        list_init(&dns->buckets[i]);
}

static void entry_free(struct dns_entry *entry)
{
    REQUIRE(list_empty(&entry->waiters) && !entry->looking);
    list_unlink(&entry->node);
    free(entry);
}

static struct list *bucket_of(struct dns *dns, const char *host)
{
    uint32_t hash = 2166136261u; /* FNV-1a; the names come from the configuration */

    for (; *host != '\0'; host++)
        hash = (hash ^ (unsigned char)*host) * 16777619u;
    return &dns->buckets[hash % DNS_BUCKETS];
}

static void forget_unused(struct list *bucket, uint64_t now)
{
    for (struct list *node = bucket->next, *next; node != bucket; node = next) {
        struct dns_entry *entry = container_of(node, struct dns_entry, node);
        next = node->next;
        if (!entry->looking && list_empty(&entry->waiters) && now - entry->used > DNS_FORGET_MS)
            entry_free(entry);
    }
}

static struct dns_entry *entry_for(struct dns *dns, const char *host)
{
    struct list *bucket = bucket_of(dns, host);
    size_t len = strlen(host);
    struct dns_entry *entry;

    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        entry = container_of(node, struct dns_entry, node);
        if (strcmp(entry->host, host) == 0)
            return entry;
    }
    forget_unused(bucket, uv_now(dns->loop));
    entry = calloc(1, sizeof(*entry) + len + 1);
    if (entry == NULL)
        return NULL;
    memcpy(entry->host, host, len + 1);
    entry->dns = dns;
    list_init(&entry->waiters);
    list_init(&entry->node);
    list_append(bucket, &entry->node);
    return entry;
}

static const struct addrinfo *next_of(const struct addrinfo *at, bool v6)
{
    int family = v6 ? AF_INET6 : AF_INET;

    while (at != NULL && at->ai_family != family)
        at = at->ai_next;
    return at;
}

static struct addr address_of(const struct addrinfo *at)
{
    struct sockaddr_storage name;

    memset(&name, 0, sizeof(name));
    memcpy(&name, at->ai_addr, at->ai_addrlen < sizeof(name) ? at->ai_addrlen : sizeof(name));
    return socket_addr(&name);
}

/* The resolver's order, which is RFC 6724's, but with the families taking turns, so that a broken
 * one costs one attempt and not all of them. */
static void collect(const struct addrinfo *list, struct dns_answer *answer)
{
    const struct addrinfo *at[2] = {next_of(list, false), next_of(list, true)};
    bool v6 = list != NULL && list->ai_family == AF_INET6;

    answer->count = 0;
    while ((at[0] != NULL || at[1] != NULL) && answer->count < LIMIT_ADDRESSES) {
        if (at[v6] != NULL) {
            answer->list[answer->count++] = address_of(at[v6]);
            at[v6] = next_of(at[v6]->ai_next, v6);
        }
        v6 = !v6;
    }
}

static void tell_waiters(struct dns_entry *entry, const char *error)
{
    while (!list_empty(&entry->waiters)) {
        struct dns_query *q = container_of(entry->waiters.next, struct dns_query, node);
        list_unlink(&q->node);
        q->answer = entry->answer;
        q->found(q, error);
    }
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct dns_entry *entry = container_of(request, struct dns_entry, request);
    struct dns_answer answer = {.count = 0};

    entry->looking = false;
    if (status == 0)
        collect(list, &answer);
    uv_freeaddrinfo(list);
    if (entry->dns->closing)
        return;
    if (answer.count > 0) {
        entry->answer = answer;
        entry->fresh_until = uv_now(entry->dns->loop) + DNS_TTL_MS;
    }
    if (entry->answer.count > 0)
        tell_waiters(entry, NULL);
    else
        tell_waiters(entry, status == 0 ? "no address" : uv_strerror(status));
}

static bool look_up(struct dns_entry *entry)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

    if (entry->looking)
        return true;
    entry->looking = uv_getaddrinfo(entry->dns->loop, &entry->request, on_resolved, entry->host,
                                    NULL, &hints) == 0;
    return entry->looking;
}

enum dns_result dns_ask(struct dns *dns, const char *host, struct dns_query *q, dns_found *found)
{
    struct dns_entry *entry;

    list_init(&q->node);
    q->found = found;
    if (addr_parse(slice_str(host), &q->answer.list[0])) {
        q->answer.count = 1;
        return DNS_ANSWER;
    }
    entry = entry_for(dns, host);
    if (entry == NULL)
        return DNS_ERROR;
    entry->used = uv_now(dns->loop);
    q->answer = entry->answer;
    if (entry->answer.count > 0 && entry->used < entry->fresh_until)
        return DNS_ANSWER;
    if (!look_up(entry))
        return entry->answer.count > 0 ? DNS_ANSWER : DNS_ERROR;
    q->entry = entry;
    list_append(&entry->waiters, &q->node);
    return DNS_WAIT;
}

void dns_forget(struct dns_query *q)
{
    list_unlink(&q->node);
}

bool dns_settle(struct dns_query *q)
{
    if (list_empty(&q->node) || q->entry->answer.count == 0)
        return false;
    list_unlink(&q->node);
    q->answer = q->entry->answer;
    return true;
}

void dns_expire(struct dns *dns)
{
    for (size_t i = 0; i < DNS_BUCKETS; i++) {
        struct list *bucket = &dns->buckets[i];
        for (struct list *node = bucket->next; node != bucket; node = node->next)
            container_of(node, struct dns_entry, node)->fresh_until = 0;
    }
}

void dns_close(struct dns *dns)
{
    dns->closing = true;
    for (size_t i = 0; i < DNS_BUCKETS; i++) {
        struct list *bucket = &dns->buckets[i];
        for (struct list *node = bucket->next; node != bucket; node = node->next) {
            struct dns_entry *entry = container_of(node, struct dns_entry, node);
            REQUIRE(list_empty(&entry->waiters));
            if (entry->looking)
                (void)uv_cancel((uv_req_t *)&entry->request);
        }
    }
}

void dns_fini(struct dns *dns)
{
    for (size_t i = 0; i < DNS_BUCKETS; i++) {
        struct list *bucket = &dns->buckets[i];
        for (struct list *node = bucket->next, *next; node != bucket; node = next) {
            next = node->next;
            entry_free(container_of(node, struct dns_entry, node));
        }
    }
}
