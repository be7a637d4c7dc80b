/*
 * The control socket's server: lines of JSON from operators, answered with lines of JSON. A request
 * is an object with a member "command". Its answer is any number of objects and then a last one,
 * with "done": true or with "error". Requests of one client are answered in their order.
 */
#pragma once

#include "admin/socket.h"
#include "run/supervisor_state.h"
#include "waypost/base/list.h"
#include "waypost/net/listen.h"

#define CONTROL_PATIENCE_MS 60000u

/* Where clients connect. */
struct control_door {
    struct list node;
    struct listener listener;
    struct socket_name name;
    char *group; /* owned; may be NULL */
};

struct control {
    struct supervisor *supervisor; /* borrowed */
    struct list doors;             /* owned; the first is the open one, if `open` */
    bool open;
    struct list clients; /* owned; of struct control_client */
    unsigned client_count;
    uint64_t patience;  /* ms that a client has to say what it wants, or to take the next bytes */
    struct list drains; /* owned; of struct drain, see admin/drain.c */
    uint64_t began;     /* loop time */
};
