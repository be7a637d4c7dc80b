/*
 * Reads requests, writes answers, and is patient for a while only. Owns the connection, the request
 * being read and the lines not yet taken. Reads no request before the last answer was taken, so a
 * client costs what one answer does; never judges a request.
 */
#include "admin/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/commands.h"
#include "waypost/base/check.h"

enum mood { WORKING, LISTENING, WRITING };

struct control_client {
    struct list node;
    struct control *control; /* borrowed */
    uv_pipe_t pipe;
    uv_timer_t timer;
    uid_t uid;
    unsigned handles; /* not yet closed */
    bool closing, running;
    bool reading, eof;
    bool skipping;             /* the request at hand is too long */
    bool busy;                 /* a request is being answered */
    struct control_task *task; /* borrowed; NULL: none */
    enum mood mood;            /* whose turn the timer was set for */
    size_t pending;            /* writes not yet done */
    size_t len;
    char in[LIMIT_CONTROL_REQUEST];
};

struct chunk {
    uv_write_t write;
    char *lines; /* owned */
};

static void advance(struct control_client *c);

/* --- the end ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct control_client *c = handle->data;

    if (--c->handles == 0)
        free(c);
}

void client_close(struct control_client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    list_unlink(&c->node);
    c->control->client_count--;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
    if (c->task != NULL)
        c->task->gone(c->task);
    c->task = NULL;
}

static void on_late(uv_timer_t *timer)
{
    client_close(timer->data);
}

/* --- answers ---------------------------------------------------------------------------------- */

struct control_client *client_of(struct list *node)
{
    return container_of(node, struct control_client, node);
}

uid_t client_uid(const struct control_client *c)
{
    return c->uid;
}

struct control *client_control(const struct control_client *c)
{
    return c->control;
}

void client_await(struct control_client *c, struct control_task *task)
{
    REQUIRE(c->busy && c->task == NULL);
    c->task = task;
}

void client_forget(struct control_client *c)
{
    c->task = NULL;
}

static void on_written(uv_write_t *write, int status)
{
    struct chunk *chunk = container_of(write, struct chunk, write);
    struct control_client *c = write->data;

    free(chunk->lines);
    free(chunk);
    c->pending--;
    if (c->closing)
        return;
    if (status < 0) {
        client_close(c);
        return;
    }
    c->mood = WORKING; /* it moves: let the clock begin anew */
    if (c->pending == 0 && c->task != NULL && c->task->flushed != NULL)
        c->task->flushed(c->task);
    advance(c);
}

void client_write(struct control_client *c, char *lines, size_t len)
{
    struct chunk *chunk = c->closing ? NULL : malloc(sizeof(*chunk));
    uv_buf_t buf = uv_buf_init(lines, (unsigned)len);

    if (chunk == NULL) {
        free(lines);
        client_close(c);
        return;
    }
    chunk->lines = lines;
    chunk->write.data = c;
    if (uv_write(&chunk->write, (uv_stream_t *)&c->pipe, &buf, 1, on_written) == 0) {
        c->pending++;
        return;
    }
    free(lines);
    free(chunk);
    client_close(c);
}

void client_say(struct control_client *c, json_t *object)
{
    char *line = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    size_t len = line == NULL ? 0 : strlen(line);

    json_decref(object);
    if (line == NULL) {
        client_close(c);
        return;
    }
    line[len] = '\n'; /* a line is as long as it says: nobody looks for its NUL */
    client_write(c, line, len + 1);
}

static void finish(struct control_client *c, json_t *object)
{
    REQUIRE(c->busy);
    c->busy = false;
    c->task = NULL;
    client_say(c, object);
    advance(c);
}

void client_done(struct control_client *c, json_t *object)
{
    if (object != NULL)
        json_object_set_new(object, "done", json_true());
    finish(c, object);
}

void client_fail(struct control_client *c, const char *expected, const char *format, ...)
{
    json_t *object = json_object();
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_object_set_new(object, "error", client_text(text));
    if (expected != NULL)
        json_object_set_new(object, "expected", client_text(expected));
    finish(c, object);
}

json_t *client_text(const char *text)
{
    char storage[1024];
    struct str clean = STR_ON(storage);
    struct slice rest = slice_str(text);

    while (rest.len > 0) {
        size_t len = slice_utf8_len(rest);
        str_add(&clean, len == 0 ? SLICE("\xEF\xBF\xBD") : slice_take(rest, len));
        rest = slice_skip(rest, len == 0 ? 1 : len);
    }
    return text == NULL ? json_null() : json_string(storage);
}

/* --- requests --------------------------------------------------------------------------------- */

static void answer(struct control_client *c, struct slice line)
{
    json_error_t error;
    json_t *request = json_loadb(line.ptr, line.len, 0, &error);

    c->busy = true;
    if (request == NULL)
        client_fail(c, "a JSON object on one line", "not JSON: %s", error.text);
    else
        commands_run(c, request);
    json_decref(request);
}

static void answer_overlong(struct control_client *c)
{
    char expected[64];

    c->busy = true;
    snprintf(expected, sizeof(expected), "at most %u bytes", LIMIT_CONTROL_REQUEST - 1);
    client_fail(c, expected, "the request is too long");
}

/* The next request, if there is a whole one. */
static bool answer_next(struct control_client *c)
{
    char line[LIMIT_CONTROL_REQUEST];
    const char *end = memchr(c->in, '\n', c->len);
    size_t len = end == NULL ? 0 : (size_t)(end - c->in);
    bool skipped = c->skipping;

    if (end == NULL) {
        c->skipping |= c->len == sizeof(c->in);
        c->len = c->skipping ? 0 : c->len;
        return false;
    }
    memcpy(line, c->in, len);
    c->len -= len + 1;
    memmove(c->in, end + 1, c->len);
    c->skipping = false;
    if (skipped)
        answer_overlong(c);
    else if (len > strspn(line, " \t\r"))
        answer(c, slice_of(line, len));
    return true;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct control_client *c = handle->data;

    UNUSED(suggested);
    *buf = uv_buf_init(c->in + c->len, (unsigned)(sizeof(c->in) - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct control_client *c = stream->data;

    UNUSED(buf);
    if (n < 0 && n != UV_EOF) {
        client_close(c);
        return;
    }
    if (n < 0)
        c->eof = true;
    else
        c->len += (size_t)n;
    advance(c);
}

/* --- the turn --------------------------------------------------------------------------------- */

static void read_if(struct control_client *c, bool wanted)
{
    if (wanted == c->reading)
        return;
    c->reading = wanted;
    if (wanted)
        (void)uv_read_start((uv_stream_t *)&c->pipe, on_room, on_read);
    else
        uv_read_stop((uv_stream_t *)&c->pipe);
}

static void be_patient(struct control_client *c, enum mood mood)
{
    if (mood == c->mood)
        return;
    c->mood = mood;
    if (mood == WORKING)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, on_late, c->control->patience, 0);
}

static bool listens(const struct control_client *c)
{
    return !c->closing && !c->busy && c->pending == 0;
}

/* After whatever has happened: answers what can be answered, and recomputes what to wait for. */
static void advance(struct control_client *c)
{
    if (c->running)
        return;
    c->running = true;
    while (listens(c) && answer_next(c))
        ;
    c->running = false;
    if (listens(c) && c->eof)
        client_close(c);
    if (c->closing)
        return;
    read_if(c, listens(c));
    be_patient(c, c->pending > 0 ? WRITING : c->busy ? WORKING : LISTENING);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static uid_t uid_of(int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t len = sizeof(peer);

    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    return peer.uid;
}

void client_begin(struct control *control, int fd)
{
    uv_loop_t *loop = &control->supervisor->loop;
    struct control_client *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        close(fd);
        return;
    }
    c->control = control;
    c->uid = uid_of(fd);
    list_init(&c->node);
    list_append(&control->clients, &c->node);
    control->client_count++;
    (void)uv_pipe_init(loop, &c->pipe, 0);
    (void)uv_timer_init(loop, &c->timer);
    c->handles = 2;
    c->pipe.data = c->timer.data = c;
    if (uv_pipe_open(&c->pipe, fd) != 0) {
        close(fd);
        client_close(c);
        return;
    }
    if (control->client_count > LIMIT_CONTROL_CLIENTS) {
        c->busy = c->eof = true;
        client_fail(c, NULL, "too many clients, at most %u", LIMIT_CONTROL_CLIENTS);
        return;
    }
    advance(c);
}
