/*
 * Which sessions a request is about.
 */
#pragma once

#include "admin/client.h"
#include "run/conn.h"

struct filter {
    char user[LIMIT_USER + 1]; /* without its "*"; "": any */
    enum { FILTER_EXACT, FILTER_BEGINS, FILTER_ENDS, FILTER_HAS } how;
    bool any_user;                /* nothing was said about users */
    char backend[LIMIT_NAME + 1]; /* "": any */
    struct cidr network;
    bool any_client;
};

/* From the members user, client and backend of a request. A whole user name means what it would
 * mean in a login. False: refused. */
MUST_USE
bool filter_read(struct filter *filter, struct control_client *client, const json_t *request);
/* Whether anything was said at all. */
bool filter_narrows(const struct filter *filter);
bool filter_admits(const struct filter *filter, const struct conn_view *view);
