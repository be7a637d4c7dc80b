/*
 * One dial: a heap object that lives from dial_start until its last close callback, then reports
 * and frees itself. Owns its sockets until it hands over the winner. Never blocks, never retries
 * an address, knows nothing of ports, TLS or deadlines.
 */
#include "waypost/net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "waypost/base/str.h"
#include "waypost/net/socket.h"

#define NO_SOURCE (-1) /* stands among errno values */

struct attempt {
    struct dial *dial;
    struct addr to;
    uv_poll_t poll;
    int fd; /* owned; -1 when closed or handed over */
};

struct dial {
    uv_loop_t *loop; /* borrowed */
    dial_done *done;
    void *ctx;         /* borrowed, for done */
    struct dial_to to; /* borrowed; without the host */
    struct dns_query query;
    uv_timer_t timer;
    struct attempt attempts[LIMIT_ADDRESSES];
    size_t next;      /* address to try next */
    size_t pending;   /* attempts under way */
    unsigned handles; /* not yet closed */
    bool ending;
    enum port_failure failure; /* of the attempts so far, the one that says most */
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

static const char *explain(const struct dial *dial, int error)
{
    if (error == NO_SOURCE)
        return "no source address of its family";
    if (error == EADDRNOTAVAIL && dial->to.source_count > 0)
        return "every source address lacks a free port, or is not of this machine";
    return uv_strerror(uv_translate_sys_error(error));
}

/* For want of something here, for silence, or for anything else. */
static enum port_failure judge(int error)
{
    switch (error) {
    case NO_SOURCE:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return PORT_LOCAL;
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ETIMEDOUT:
        return PORT_UNREACHABLE;
    default:
        return PORT_CONNECT;
    }
}

static void note(struct dial *dial, const struct addr *to, int error)
{
    char text[ADDR_TEXT];

    if (judge(error) != PORT_LOCAL && dial->failure != PORT_CONNECT)
        dial->failure = judge(error);
    str_addf(&dial->detail, "%s%s: %s", dial->detail.len > 0 ? ", " : "",
             addr_format(to, true, text), explain(dial, error));
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

static size_t any_of(size_t count)
{
    uint32_t random = 0;

    if (count > 1 && getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        return 0;
    return random % count;
}

/* At random and not in turn: turns would beat with those of pools, and of probes. */
static int connect_from_any(const struct dial_to *dial, const struct addr *to, int *fd)
{
    const struct addr *fit[LIMIT_SOURCES];
    size_t count = 0, first;
    int error = EADDRNOTAVAIL;

    for (size_t i = 0; i < dial->source_count; i++) {
        if (addr_is_v4(&dial->sources[i]) == addr_is_v4(to))
            fit[count++] = &dial->sources[i];
    }
    if (count == 0)
        return NO_SOURCE;
    first = any_of(count);
    for (size_t i = 0; i < count && error == EADDRNOTAVAIL; i++)
        error = socket_connect(fit[(first + i) % count], to, fd);
    return error;
}

/* 0, an errno value, or NO_SOURCE: then nothing of the attempt is left. */
static int attempt_start(struct attempt *attempt)
{
    struct dial *dial = attempt->dial;
    int fd = -1;
    int error = dial->to.source_count == 0 ? socket_connect(NULL, &attempt->to, &fd)
                                           : connect_from_any(&dial->to, &attempt->to, &fd);

    if (error == 0 && uv_poll_init(dial->loop, &attempt->poll, fd) != 0) {
        close(fd);
        error = ENOMEM;
    }
    if (error != 0)
        return error;
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
        attempt->to.port = dial->to.port;
        dial->next++;
        error = attempt_start(attempt);
        if (error == 0) {
            uv_timer_start(&dial->timer, on_turn, DIAL_STAGGER_MS, 0);
            return;
        }
        note(dial, &attempt->to, error);
    }
    if (dial->pending == 0)
        end(dial, dial->failure);
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

struct dial *dial_start(uv_loop_t *loop, struct dns *dns, const struct dial_to *to,
                        struct str detail, dial_done *done, void *ctx)
{
    struct dial *dial = calloc(1, sizeof(*dial));
    enum dns_result result;

    REQUIRE(to->source_count <= LIMIT_SOURCES);
    if (dial == NULL)
        return NULL;
    dial->loop = loop;
    dial->done = done;
    dial->ctx = ctx;
    dial->to = *to;
    dial->to.host = NULL; /* not ours to keep */
    dial->outcome.fd = -1;
    dial->failure = PORT_LOCAL;
    dial->detail = detail;
    uv_timer_init(loop, &dial->timer);
    dial->handles = 1;
    result = dns_ask(dns, to->host, &dial->query, on_found);
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
