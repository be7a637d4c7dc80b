/*
 * Commands before login. The first byte chooses commands or SASL lines and the size of the pieces;
 * the rest is what a client sends. Fed whole and in pieces it must give the same events; a command
 * is legal in framing, and what is read out of it can be sent on without ending a line.
 */
#include <stdint.h>

#include "waypost/base/str.h"
#include "waypost/imap/command.h"
#include "waypost/imap/scan.h"

#define MAX_INPUT 8192u
#define LOG_SIZE  (16u * MAX_INPUT)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct scan_limits limits = {256, 512, 64};

static bool sendable(struct slice value)
{
    return slice_find(value, '\0') == value.len && slice_find(value, '\r') == value.len &&
           slice_find(value, '\n') == value.len;
}

static void check_field(void *ctx, struct slice key, struct slice value)
{
    unsigned *fields = ctx;

    ENSURE(++*fields <= LIMIT_ID_FIELDS);
    ENSURE(sendable(key) && key.len <= LIMIT_ID_KEY);
    ENSURE(sendable(value) && value.len <= LIMIT_ID_VALUE);
}

static void check_arguments(const struct command *c)
{
    struct secret user = SECRET_EMPTY, password = SECRET_EMPTY;
    struct command_authenticate a;
    unsigned fields = 0;

    if (command_login(c->args, &user, &password))
        ENSURE(sendable(secret_reveal(&user)) && sendable(secret_reveal(&password)));
    else
        ENSURE(user.data == NULL && password.data == NULL);
    secret_clear(&user);
    secret_clear(&password);
    if (command_authenticate(c->args, &a))
        ENSURE(a.mechanism.len > 0 && sendable(a.mechanism) && sendable(a.initial));
    if (!command_id(c->args, check_field, &fields))
        ENSURE(fields == 0);
}

static void check_command(struct slice bytes)
{
    struct command c;
    enum command_error error = command_parse(bytes, &c);

    ENSURE(bytes.ptr[bytes.len - 1] == '\n');
    ENSURE(slice_find(bytes, '\0') == bytes.len);
    if (error == COMMAND_BAD_TAG)
        return;
    ENSURE(command_tag_legal(c.tag));
    if (error == COMMAND_FINE)
        check_arguments(&c);
}

/* Takes all events; false when the session would be hung up. */
static bool take_events(struct scan *s, struct buf *in, bool lines, struct str *log)
{
    for (;;) {
        enum result r = lines ? scan_line(s, in, &limits) : scan_command(s, in, &limits);
        str_addf(log, "%d %d ", (int)r, (int)s->fault);
        if (r == NEED_MORE) {
            /* Said once for every piece: not an event. */
            log->len -= 4;
            return true;
        }
        if (r == DONE) {
            struct slice command = slice_take(buf_bytes(in), s->len);
            check_command(command);
            str_add(log, command);
            buf_drop(in, s->len);
        } else if (r == BAD) {
            ENSURE(s->tag_len == 0 || command_tag_legal(slice_of(s->tag, s->tag_len)));
            str_add(log, slice_of(s->tag, s->tag_len));
        }
        if (s->fault == SCAN_HOPELESS)
            return false;
        if (r != CONTINUE)
            scan_reset(s);
    }
}

static void feed(struct slice input, size_t piece, bool lines, struct str *log)
{
    struct pool pool;
    struct buf in;
    struct scan s;
    bool alive = true;

    pool_init(&pool);
    buf_init(&in, &pool, LIMIT_BUF);
    in.wipe = true;
    scan_reset(&s);
    for (; alive && input.len > 0; input = slice_skip(input, piece)) {
        ENSURE(buf_append(&in, slice_take(input, piece)));
        alive = take_events(&s, &in, lines, log);
    }
    str_addf(log, "left %zu", buf_len(&in));
    ENSURE(!log->overflow);
    buf_fini(&in);
    pool_fini(&pool);
    pool_trim(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char storage[2][LOG_SIZE];
    struct str whole = STR_ON(storage[0]), pieces = STR_ON(storage[1]);
    struct slice input;

    if (size < 2 || size > MAX_INPUT)
        return 0;
    input = slice_of(data + 1, size - 1);
    feed(input, input.len, (data[0] & 1) != 0, &whole);
    feed(input, 1 + (data[0] >> 1) % 16u, (data[0] & 1) != 0, &pieces);
    ENSURE(slice_eq(str_slice(&whole), str_slice(&pieces)));
    return 0;
}
