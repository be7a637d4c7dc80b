/*
 * Accepts on a socket that somebody else bound. Owns that descriptor, a reserve descriptor and two
 * handles; whatever is accepted belongs to the callee. libuv's own accept hides the pauses that a
 * full descriptor table needs, therefore a poll handle.
 */
#include "waypost/net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "waypost/net/socket.h"

static void on_ready(uv_poll_t *poll, int status, int events);

static int reserve_descriptor(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int accept_one(struct listener *l, struct addr *remote)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(name);
    int fd = accept4(l->fd, (struct sockaddr *)&name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        *remote = socket_addr(&name);
    return fd;
}

static void on_resume(uv_timer_t *timer)
{
    struct listener *l = container_of(timer, struct listener, resume);

    if (l->reserve < 0)
        l->reserve = reserve_descriptor();
    (void)uv_poll_start(&l->poll, UV_READABLE, on_ready);
}

/* The client at the head of the queue has waited longest; it is turned away with the reserve, the
 * others wait in the kernel's queue until there are descriptors again. */
static void pause_accepting(struct listener *l, int error)
{
    struct log_line line;
    struct addr remote;
    int fd;

    if (l->reserve >= 0) {
        close(l->reserve);
        fd = accept_one(l, &remote);
        if (fd >= 0)
            close(fd);
        l->reserve = reserve_descriptor();
    }
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->resume, on_resume, LISTEN_PAUSE_MS, 0);
    if (!log_begin(&line, l->log, LEVEL_ERROR, "accept_paused"))
        return;
    log_text(&line, "listener", slice_str(l->name));
    log_text(&line, "error", slice_str(uv_strerror(uv_translate_sys_error(error))));
    log_num(&line, "ms", LISTEN_PAUSE_MS);
    log_end(&line);
}

/* What accept(2) says about the one connection it took off the queue is not about the socket. */
static bool is_about_client(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN ||
           error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH ||
           error == EOPNOTSUPP || error == ENETUNREACH || error == EPERM;
}

static void accept_some(struct listener *l, unsigned most)
{
    for (unsigned i = 0; i < most && l->open; i++) {
        struct addr remote;
        int fd = accept_one(l, &remote);
        int error = errno;
        if (fd >= 0) {
            l->accepted(l->ctx, fd, &remote);
            continue;
        }
        if (error == EAGAIN || error == EWOULDBLOCK)
            return;
        if (!is_about_client(error)) {
            pause_accepting(l, error);
            return;
        }
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct listener *l = container_of(poll, struct listener, poll);

    UNUSED(events);
    if (status < 0)
        pause_accepting(l, -status); /* libuv has stopped polling */
    else
        accept_some(l, LISTEN_BATCH);
}

bool listener_start(struct listener *l, uv_loop_t *loop, int fd, const char *name,
                    const struct log *log, listener_accepted *accepted, void *ctx)
{
    *l = (struct listener){.fd = fd, .name = name, .log = log, .accepted = accepted, .ctx = ctx};
    if (uv_poll_init(loop, &l->poll, fd) != 0) {
        close(fd);
        return false;
    }
    uv_timer_init(loop, &l->resume);
    l->reserve = reserve_descriptor();
    l->open = true;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_ready);
    return true;
}

void listener_sweep(struct listener *l)
{
    accept_some(l, LISTEN_SWEEP);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct listener *l = container_of(handle, struct listener, resume);

    if (l->closed != NULL)
        l->closed(l->ctx);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct listener *l = container_of(handle, struct listener, poll);

    uv_close((uv_handle_t *)&l->resume, on_timer_closed);
}

void listener_stop(struct listener *l, listener_closed *closed)
{
    if (!l->open)
        return;
    l->open = false;
    l->closed = closed;
    uv_timer_stop(&l->resume);
    uv_close((uv_handle_t *)&l->poll, on_poll_closed);
    close(l->fd);
    if (l->reserve >= 0)
        close(l->reserve);
}
