/*
 * Reads and applies filters. Owns nothing; applied on the threads of workers, so it changes nothing
 * either.
 */
#include "admin/filter.h"

#include <stdio.h>

#include "waypost/conf/username.h"

static bool read_user(struct filter *f, struct control_client *client, const char *text)
{
    const struct conf *conf = client_control(client)->supervisor->generation->conf;
    struct slice user = slice_str(text);
    bool before = slice_starts(user, SLICE("*"));
    bool behind = user.len > 1 && user.ptr[user.len - 1] == '*';
    struct str name = STR_ON(f->user);

    f->how = before && behind ? FILTER_HAS
             : before         ? FILTER_ENDS
             : behind         ? FILTER_BEGINS
                              : FILTER_EXACT;
    user = slice_take(slice_skip(user, before), user.len - before - behind);
    if (before || behind)
        str_add(&name, user);
    else if (!username_normalize(&conf->routes->normalize, user, &name))
        name.overflow = true;
    if (!name.overflow && slice_find(str_slice(&name), '*') == name.len)
        return true;
    client_fail(client, "a user name, or a part of one with \"*\" before or behind it",
                "\"user\" cannot be a user name");
    return false;
}

static bool read_network(struct filter *f, struct control_client *client, const char *text)
{
    if (cidr_parse(slice_str(text), &f->network))
        return true;
    client_fail(client, "an IP address or a network such as \"192.0.2.0/24\"",
                "\"client\" is no address");
    return false;
}

static bool read_backend(struct filter *f, struct control_client *client, const char *text)
{
    struct supervisor *s = client_control(client)->supervisor;

    snprintf(f->backend, sizeof(f->backend), "%s", text);
    if (fleet_find(&s->fleet, text) != NULL)
        return true;
    client_fail(client, "the name of a backend", "there never was a backend \"%.64s\"", text);
    return false;
}

bool filter_read(struct filter *f, struct control_client *client, const json_t *request)
{
    const char *user = json_string_value(json_object_get(request, "user"));
    const char *network = json_string_value(json_object_get(request, "client"));
    const char *backend = json_string_value(json_object_get(request, "backend"));

    *f = (struct filter){.any_user = user == NULL, .any_client = network == NULL};
    return (user == NULL || read_user(f, client, user)) &&
           (network == NULL || read_network(f, client, network)) &&
           (backend == NULL || read_backend(f, client, backend));
}

bool filter_narrows(const struct filter *f)
{
    return !f->any_user || !f->any_client || f->backend[0] != '\0';
}

static bool has(struct slice text, struct slice part)
{
    for (; text.len >= part.len; text = slice_skip(text, 1)) {
        if (slice_starts(text, part))
            return true;
        if (text.len == 0)
            break;
    }
    return false;
}

static bool admits_user(const struct filter *f, const char *name)
{
    struct slice user = slice_str(name), part = slice_str(f->user);

    if (name == NULL)
        return false;
    switch (f->how) {
    case FILTER_EXACT:
        return slice_eq(user, part);
    case FILTER_BEGINS:
        return slice_starts(user, part);
    case FILTER_ENDS:
        return user.len >= part.len && slice_eq(slice_skip(user, user.len - part.len), part);
    case FILTER_HAS:
        return has(user, part);
    }
    return false;
}

bool filter_admits(const struct filter *f, const struct conn_view *view)
{
    return (f->any_user || admits_user(f, view->user)) &&
           (f->any_client || cidr_has(&f->network, &view->client)) &&
           (f->backend[0] == '\0' ||
            (view->backend != NULL && strcmp(view->backend, f->backend) == 0));
}
