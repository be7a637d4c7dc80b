/*
 * Binds listeners, before privileges are dropped or for a reload. Owns descriptors until a worker
 * takes them; the sockets themselves live on with the workers. Never closes one that a worker has.
 */
#include "run/binding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "waypost/net/socket.h"

static size_t find(const struct bindings *b, const struct addr *address)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct addr *other = &b->list[i].address;
        if (other->port == address->port &&
            memcmp(other->ip, address->ip, sizeof(address->ip)) == 0)
            return i;
    }
    return BINDING_NEW;
}

static int open_one(struct binding *binding, unsigned workers)
{
    int error = 0;

    binding->fds = malloc(workers * sizeof(*binding->fds));
    if (binding->fds == NULL)
        return ENOMEM;
    for (unsigned i = 0; i < workers; i++)
        binding->fds[i] = -1;
    for (unsigned i = 0; i < workers && error == 0; i++)
        error = socket_listen(binding->conf->host, binding->conf->port, &binding->fds[i]);
    return error;
}

static void complain(const struct conf *conf, size_t listener, int error,
                     struct conf_errors *errors)
{
    const struct conf_listener *l = &conf->listeners[listener];
    char storage[64];
    struct str pointer = STR_ON(storage);

    str_addf(&pointer, "/listeners/%zu/address", listener);
    conf_errors_add(
        errors, conf->path, 0, storage, "listener \"%s\" cannot listen on %s port %u: %s%s",
        l->name, l->host, l->port, uv_strerror(uv_translate_sys_error(error)),
        error == EACCES ? " (a low port needs a start as root or CAP_NET_BIND_SERVICE)" : "");
}

/* An errno value; what is open by then is in *out in any case. */
static int follow_one(const struct bindings *before, const struct conf_listener *conf,
                      unsigned workers, struct binding *out)
{
    *out = (struct binding){.conf = conf};
    if (!addr_parse(slice_str(conf->host), &out->address))
        return EINVAL;
    out->address.port = conf->port;
    out->kept = find(before, &out->address);
    return out->kept == BINDING_NEW ? open_one(out, workers) : 0;
}

bool bindings_follow(const struct bindings *before, const struct conf *conf, unsigned workers,
                     struct bindings *out, struct conf_errors *errors)
{
    struct bindings b = {.workers = workers};
    bool good = true;

    REQUIRE(workers > 0 && conf->listener_count > 0);
    b.list = calloc(conf->listener_count, sizeof(*b.list));
    if (b.list == NULL) {
        conf_errors_add(errors, conf->path, 0, "/listeners", "out of memory");
        return false;
    }
    for (; b.count < conf->listener_count; b.count++) {
        int error = follow_one(before, &conf->listeners[b.count], workers, &b.list[b.count]);
        if (error != 0)
            complain(conf, b.count, error, errors);
        good = good && error == 0;
    }
    if (good)
        *out = b;
    else
        bindings_close(&b);
    return good;
}

int bindings_take(struct bindings *b, size_t listener, unsigned worker)
{
    int fd;

    REQUIRE(listener < b->count && worker < b->workers && b->list[listener].fds != NULL);
    fd = b->list[listener].fds[worker];
    b->list[listener].fds[worker] = -1;
    return fd;
}

static void say(const struct log *log, const char *event, const struct binding *binding)
{
    char text[ADDR_TEXT];
    struct log_line line;

    if (!log_begin(&line, log, LEVEL_INFO, event))
        return;
    log_text(&line, "listener", slice_str(binding->conf->name));
    log_text(&line, "address", slice_str(addr_format(&binding->address, true, text)));
    log_end(&line);
}

static bool is_kept(const struct bindings *after, size_t listener)
{
    bool kept = false;

    for (size_t i = 0; i < after->count && !kept; i++)
        kept = after->list[i].kept == listener;
    return kept;
}

void bindings_tell(const struct bindings *before, const struct bindings *after,
                   const struct log *log)
{
    for (size_t i = 0; i < before->count; i++) {
        if (!is_kept(after, i))
            say(log, "listener_closed", &before->list[i]);
    }
    for (size_t i = 0; i < after->count; i++) {
        if (after->list[i].kept == BINDING_NEW)
            say(log, "listening", &after->list[i]);
    }
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
    }
    free(b->list);
    *b = (struct bindings){.count = 0};
}
