/*
 * Finds backends that are the proxy itself: a login there would come back for ever. Owns nothing.
 * Compares what is configured; no name is looked up.
 */
#include "conf/key.h"
#include "waypost/conf/value.h"

static bool is_any(const struct addr *a)
{
    static const struct addr any6;
    static const unsigned char any4[4];
    struct addr mapped = addr_from_bytes(any4, sizeof(any4), 0);
    return memcmp(a->ip, any6.ip, sizeof(a->ip)) == 0 ||
           memcmp(a->ip, mapped.ip, sizeof(a->ip)) == 0;
}

/* Whether a connection to `backend` would arrive at `listener`, as far as can be told without
 * asking the network. */
static bool is_ourselves(const struct conf *conf, const struct conf_listener *listener,
                         const struct conf_backend *backend)
{
    struct slice host = slice_str(backend->host);
    struct addr ours, theirs;

    if (listener->host == NULL || backend->host == NULL || listener->port != backend->port ||
        !addr_parse(slice_str(listener->host), &ours))
        return false;
    if (slice_eq_nocase(host, slice_str(conf->hostname)))
        return true;
    if (!addr_parse(host, &theirs))
        return value_is_loopback(host) &&
               (is_any(&ours) || value_is_loopback(slice_str(listener->host)));
    if (is_any(&ours))
        return (value_is_loopback(host) || is_any(&theirs)) &&
               (!addr_is_v4(&ours) || addr_is_v4(&theirs));
    return memcmp(ours.ip, theirs.ip, sizeof(ours.ip)) == 0;
}

void check_loops(struct reader *r, const struct place *root)
{
    const struct conf *conf = r->conf;
    struct place backends = {.up = root, .name = "backends"};

    for (size_t b = 0; b < r->routes->backend_count; b++) {
        const struct conf_backend *backend = &r->routes->backends[b];
        struct place here = {.up = &backends, .name = backend->name};
        struct place address = {.up = &here, .name = "address"};
        for (size_t l = 0; l < conf->listener_count; l++) {
            if (is_ourselves(conf, &conf->listeners[l], backend))
                fault(r, &address, "this is the proxy itself: listener \"%s\" is at this address",
                      conf->listeners[l].name == NULL ? "" : conf->listeners[l].name);
        }
    }
}
