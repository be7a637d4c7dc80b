/*
 * One dial: a heap object that lives from dial_start until its last close callback, then reports
 * and frees itself. Owns its sockets until it hands over the winner. Never blocks, never retries
 * an address, knows nothing of ports, TLS or deadlines.
 */
#include "waypost/net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "waypost/base/str.h"
#include "waypost/net/socket.h"

struct attempt {
    struct dial *dial;
    struct addr to;
    uv_poll_t poll;
    int fd; /* owned; -1 when closed or handed over */
};

struct dial {
    uv_loop_t *loop; /* borrowed */
    dial_done *done;
    void *ctx; /* borrowed, for done */
    uint16_t port;
    struct dns_query query;
    uv_timer_t timer;
    struct attempt attempts[LIMIT_ADDRESSES];
    size_t next;      /* address to try next */
    size_t pending;   /* attempts under way */
    unsigned handles; /* not yet closed */
    bool ending;
    struct dial_outcome outcome;
    struct str detail; /* borrowed */
};

static void on_handle_closed(struct dial *dial)
{
    struct dial_outcome outcome;

    if (--dial->handles > 0)
        return;
    outcome = dial->outcome;
    dial->done(dial->ctx, &outcome);
    free(dial);
}

static void on_poll_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct attempt, poll)->dial);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of(handle, struct dial, timer));
}

/* Stops polling; the descriptor is free to be closed or used elsewhere from here on. */
static int attempt_release(struct attempt *attempt)
{
    int fd = attempt->fd;

    attempt->fd = -1;
    attempt->dial->pending--;
    uv_close((uv_handle_t *)&attempt->poll, on_poll_closed);
    return fd;
}

static void end(struct dial *dial, enum port_failure failure)
{
    if (dial->ending)
        return;
    dial->ending = true;
    dial->outcome.failure = failure;
    dns_forget(&dial->query);
    for (size_t i = 0; i < dial->next; i++) {
        if (dial->attempts[i].fd >= 0)
            close(attempt_release(&dial->attempts[i]));
    }
    uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
}

static void note(struct dial *dial, const struct addr *to, int error)
{
    char text[ADDR_TEXT];

    str_addf(&dial->detail, "%s%s: %s", dial->detail.len > 0 ? ", " : "",
             addr_format(to, true, text), uv_strerror(uv_translate_sys_error(error)));
}

static void try_next(struct dial *dial);

static void on_connected(uv_poll_t *handle, int status, int events)
{
    struct attempt *attempt = container_of(handle, struct attempt, poll);
    struct dial *dial = attempt->dial;
    int error = 0;
    socklen_t len = sizeof(error);

    UNUSED(events);
    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error == 0 && status < 0)
        error = ECONNREFUSED; /* the kernel had an error to report and has lost it */
    if (error == 0) {
        dial->outcome.remote = attempt->to;
        dial->outcome.fd = attempt_release(attempt);
        end(dial, PORT_FINE);
        return;
    }
    note(dial, &attempt->to, error);
    close(attempt_release(attempt));
    try_next(dial);
}

/* 0, or an errno value: then nothing of the attempt is left. */
static int attempt_start(struct attempt *attempt)
{
    struct sockaddr_storage name;
    socklen_t len = socket_name(&attempt->to, &name);
    struct dial *dial = attempt->dial;
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? errno : 0;

    if (error == 0 && connect(fd, (struct sockaddr *)&name, len) != 0 && errno != EINPROGRESS)
        error = errno;
    if (error == 0 && uv_poll_init(dial->loop, &attempt->poll, fd) != 0)
        error = ENOMEM;
    if (error != 0) {
        if (fd >= 0)
            close(fd);
        return error;
    }
    attempt->fd = fd;
    dial->handles++;
    dial->pending++;
    (void)uv_poll_start(&attempt->poll, UV_WRITABLE, on_connected);
    return 0;
}

static void on_turn(uv_timer_t *timer)
{
    try_next(container_of(timer, struct dial, timer));
}

/* Whenever an attempt failed or the timer fires the next address gets its chance; those under way
 * keep theirs. */
static void try_next(struct dial *dial)
{
    while (dial->next < dial->query.answer.count) {
        struct attempt *attempt = &dial->attempts[dial->next];
        int error;
        *attempt = (struct attempt){.dial = dial, .to = dial->query.answer.list[dial->next]};
        attempt->fd = -1;
        attempt->to.port = dial->port;
        dial->next++;
        error = attempt_start(attempt);
        if (error == 0) {
            uv_timer_start(&dial->timer, on_turn, DIAL_STAGGER_MS, 0);
            return;
        }
        note(dial, &attempt->to, error);
    }
    if (dial->pending == 0)
        end(dial, PORT_CONNECT);
}

static void on_found(struct dns_query *query, const char *error)
{
    struct dial *dial = container_of(query, struct dial, query);

    if (error == NULL) {
        try_next(dial);
        return;
    }
    str_addf(&dial->detail, "%s", error);
    end(dial, PORT_RESOLVE);
}

static void on_slow_look_up(uv_timer_t *timer)
{
    struct dial *dial = container_of(timer, struct dial, timer);

    if (dns_settle(&dial->query))
        try_next(dial);
}

struct dial *dial_start(uv_loop_t *loop, struct dns *dns, const char *host, uint16_t port,
                        struct str detail, dial_done *done, void *ctx)
{
    struct dial *dial = calloc(1, sizeof(*dial));
    enum dns_result result;

    if (dial == NULL)
        return NULL;
    dial->loop = loop;
    dial->done = done;
    dial->ctx = ctx;
    dial->port = port;
    dial->outcome.fd = -1;
    dial->detail = detail;
    uv_timer_init(loop, &dial->timer);
    dial->handles = 1;
    result = dns_ask(dns, host, &dial->query, on_found);
    if (result == DNS_ERROR) {
        str_addf(&dial->detail, "the look-up could not be started");
        end(dial, PORT_RESOLVE);
        return dial;
    }
    uv_timer_start(&dial->timer, result == DNS_ANSWER ? on_turn : on_slow_look_up,
                   result == DNS_ANSWER ? 0 : DNS_PATIENCE_MS, 0);
    return dial;
}

void dial_cancel(struct dial *dial)
{
    /* The winner may be waiting for its close callbacks. */
    if (dial->outcome.fd >= 0)
        close(dial->outcome.fd);
    dial->outcome.fd = -1;
    dial->outcome.failure = PORT_FINE;
    end(dial, PORT_FINE);
}
