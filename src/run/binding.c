/*
 * Binds all listeners before privileges are dropped. Owns descriptors until a worker takes them,
 * and a copy of each listener's configuration for as long as anybody may be connected to it.
 */
#include "run/binding.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "waypost/net/socket.h"

static bool copy_listener(struct conf_listener *to, const struct conf_listener *from)
{
    const struct conf_proxy_protocol *proxy = &from->proxy_protocol;
    size_t size = proxy->from_count * sizeof(*proxy->from);

    *to = *from;
    to->name = strdup(from->name);
    to->host = strdup(from->host);
    to->proxy_protocol.from = malloc(size > 0 ? size : 1);
    if (to->name == NULL || to->host == NULL || to->proxy_protocol.from == NULL)
        return false;
    if (size > 0)
        memcpy(to->proxy_protocol.from, proxy->from, size);
    return true;
}

/* Where port 0 was asked for, the first worker's socket decides and the others join it. */
static bool bind_all(struct binding *binding, unsigned workers, struct str *why)
{
    const struct conf_listener *conf = &binding->conf;
    uint16_t port = conf->port;

    for (unsigned i = 0; i < workers; i++) {
        int error = socket_listen(conf->host, port, &binding->fds[i]);
        if (error != 0) {
            str_addf(why, "listener \"%s\" cannot listen on %s port %u: %s", conf->name, conf->host,
                     port, uv_strerror(uv_translate_sys_error(error)));
            return false;
        }
        if (i == 0)
            binding->address = socket_local(binding->fds[0]);
        port = binding->address.port;
    }
    return true;
}

static bool open_one(struct binding *binding, const struct conf_listener *conf, unsigned workers,
                     struct str *why)
{
    binding->fds = malloc(workers * sizeof(*binding->fds));
    for (unsigned i = 0; binding->fds != NULL && i < workers; i++)
        binding->fds[i] = -1;
    if (copy_listener(&binding->conf, conf) && binding->fds != NULL)
        return bind_all(binding, workers, why);
    str_addf(why, "out of memory");
    return false;
}

bool bindings_open(struct bindings *b, const struct conf *conf, unsigned workers, struct str *why)
{
    bool good = true;

    REQUIRE(workers > 0 && conf->listener_count > 0);
    *b = (struct bindings){.workers = workers};
    b->list = calloc(conf->listener_count, sizeof(*b->list));
    if (b->list == NULL) {
        str_addf(why, "out of memory");
        return false;
    }
    for (size_t i = 0; good && i < conf->listener_count; i++) {
        b->count++;
        good = open_one(&b->list[i], &conf->listeners[i], workers, why);
    }
    if (!good)
        bindings_close(b);
    return good;
}

int bindings_take(struct bindings *b, size_t listener, unsigned worker)
{
    int fd;

    REQUIRE(listener < b->count && worker < b->workers);
    fd = b->list[listener].fds[worker];
    b->list[listener].fds[worker] = -1;
    return fd;
}

static bool same_listener(const struct conf_listener *a, const struct conf_listener *b)
{
    const struct conf_proxy_protocol *p = &a->proxy_protocol, *q = &b->proxy_protocol;

    return strcmp(a->name, b->name) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port &&
           a->tls == b->tls && p->enabled == q->enabled && p->required == q->required &&
           p->timeout == q->timeout && p->from_count == q->from_count &&
           (p->from_count == 0 || memcmp(p->from, q->from, p->from_count * sizeof(*p->from)) == 0);
}

bool bindings_differ(const struct bindings *b, const struct conf *conf)
{
    if (b->count != conf->listener_count)
        return true;
    for (size_t i = 0; i < b->count; i++) {
        if (!same_listener(&b->list[i].conf, &conf->listeners[i]))
            return true;
    }
    return false;
}

void bindings_close(struct bindings *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct binding *binding = &b->list[i];
        for (unsigned w = 0; binding->fds != NULL && w < b->workers; w++) {
            if (binding->fds[w] >= 0)
                close(binding->fds[w]);
        }
        free(binding->fds);
        free(binding->conf.name);
        free(binding->conf.host);
        free(binding->conf.proxy_protocol.from);
    }
    free(b->list);
    *b = (struct bindings){.count = 0};
}
