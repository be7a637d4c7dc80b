/*
 * The other end of the control socket. Owns the connection, what was received of it and the line at
 * hand. Waits in every call; no part of the proxy uses it.
 */
#include "waypost/admin/ask.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 300 /* a reload may read a million users */
#define LINE_MAX   65536u

struct ask {
    int fd;       /* owned */
    json_t *line; /* owned; NULL: none */
    size_t at;    /* where its text begins */
    size_t next;  /* what follows it */
    size_t len;   /* received */
    char in[LINE_MAX];
};

static bool reach(int fd, const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};

    if (strlen(path) >= sizeof(name.sun_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
}

struct ask *ask_open(const char *path, struct str *why)
{
    struct ask *ask = calloc(1, sizeof(*ask));

    if (ask == NULL) {
        str_add(why, SLICE("out of memory"));
        return NULL;
    }
    ask->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ask->fd >= 0 && reach(ask->fd, path))
        return ask;
    str_addf(why, "%s: %s", path,
             errno == ECONNREFUSED ? "nobody listens there any more" : strerror(errno));
    ask_close(&ask);
    return NULL;
}

void ask_close(struct ask **ask)
{
    if (*ask == NULL)
        return;
    json_decref((*ask)->line);
    if ((*ask)->fd >= 0)
        close((*ask)->fd);
    free(*ask);
    *ask = NULL;
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        text += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
    return true;
}

static json_t *value_of(const struct ask_member *member)
{
    if (member->text != NULL)
        return json_string(member->text);
    if (member->number != NULL)
        return json_integer((json_int_t)*member->number);
    return json_true();
}

bool ask_send(struct ask *ask, const char *command, const struct ask_member *members, size_t count)
{
    json_t *request = json_pack("{ss}", "command", command);
    char *text;
    bool sent;

    for (size_t i = 0; i < count; i++)
        json_object_set_new(request, members[i].name, value_of(&members[i]));
    text = json_dumps(request, JSON_COMPACT);
    sent = text != NULL && send_all(ask->fd, text, strlen(text)) && send_all(ask->fd, "\n", 1);
    free(text);
    json_decref(request);
    return sent;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* More of the line that has begun; false when there is none, or no room for it. */
static bool receive(struct ask *ask)
{
    ssize_t n;

    ask->len -= ask->next;
    memmove(ask->in, ask->in + ask->next, ask->len);
    ask->next = 0;
    do {
        n = recv(ask->fd, ask->in + ask->len, sizeof(ask->in) - ask->len, 0);
    } while (n < 0 && errno == EINTR);
    ask->len += n < 0 ? 0 : (size_t)n;
    return n > 0;
}

bool ask_next(struct ask *ask)
{
    char *end;

    json_decref(ask->line);
    ask->line = NULL;
    while ((end = memchr(ask->in + ask->next, '\n', ask->len - ask->next)) == NULL) {
        if (!receive(ask))
            return false;
    }
    *end = '\0';
    ask->at = ask->next;
    ask->next = (size_t)(end + 1 - ask->in);
    ask->line = json_loads(ask->in + ask->at, 0, NULL);
    return ask->line != NULL;
}

const char *ask_line(const struct ask *ask)
{
    return ask->in + ask->at;
}

bool ask_last(const struct ask *ask)
{
    return json_object_get(ask->line, "done") != NULL ||
           json_object_get(ask->line, "error") != NULL;
}

const char *ask_text(const struct ask *ask, const char *name)
{
    return json_string_value(json_object_get(ask->line, name));
}

uint64_t ask_num(const struct ask *ask, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(ask->line, name));
}

bool ask_true(const struct ask *ask, const char *name)
{
    return json_is_true(json_object_get(ask->line, name));
}
