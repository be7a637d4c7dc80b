/*
 * What a backend says during login. The first byte chooses the size of the pieces. Fed whole and in
 * pieces it must give the same replies; every part of a reply lies inside it; filtering the
 * capabilities of a line never makes it longer, and once is enough.
 */
#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/imap/caps.h"
#include "waypost/imap/command.h"
#include "waypost/imap/reply.h"

#define MAX_INPUT 8192u
#define LOG_SIZE  (16u * MAX_INPUT)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_filter(struct slice line)
{
    static char once[MAX_INPUT + 1], twice[MAX_INPUT + 1];
    char hidden[] = "IDLE", *hide[] = {hidden};
    struct str first = STR_ON(once), second = STR_ON(twice);

    caps_filter_line(line, hide, 1, &first);
    ENSURE(!first.overflow && first.len <= line.len);
    ENSURE(first.len > 0 && first.data[first.len - 1] == '\n');
    caps_filter_line(str_slice(&first), hide, 1, &second);
    ENSURE(slice_eq(str_slice(&first), str_slice(&second)));
}

static void check_caps(struct slice words)
{
    struct caps c = CAPS_UNKNOWN;

    if (caps_set(&c, words)) {
        ENSURE(caps_known(&c) && caps_words(&c).len <= LIMIT_CAPS);
        ENSURE(slice_find(caps_words(&c), '\n') == c.len &&
               slice_find(caps_words(&c), ']') == c.len);
    } else {
        ENSURE(!caps_known(&c));
    }
    caps_clear(&c);
}

static void check_reply(const struct reply *r, struct slice bytes)
{
    ENSURE(r->len > 0 && r->len <= LIMIT_REPLY && bytes.ptr[r->len - 1] == '\n');
    ENSURE(slice_find(bytes, '\0') == bytes.len);
    ENSURE(inside(r->tag, bytes) && inside(r->word, bytes));
    ENSURE(inside(r->code, bytes) && inside(r->text, bytes));
    ENSURE((r->kind == REPLY_TAGGED) == command_tag_legal(r->tag));
    ENSURE(r->kind != REPLY_TAGGED || r->status == STATUS_OK || r->status == STATUS_NO ||
           r->status == STATUS_BAD);
    ENSURE(slice_find(r->code, '\n') == r->code.len);
    check_caps(r->status == STATUS_OTHER ? r->text : r->code);
    check_filter(slice_take(bytes, slice_find(bytes, '\n') + 1));
}

static void note(const struct reply *r, struct slice bytes, struct str *log)
{
    str_addf(log, "%d %d ", (int)r->kind, (int)r->status);
    str_add(log, bytes);
    str_addf(log, "%zu %zu %zu ", r->word.len, r->code.len, r->text.len);
}

static void feed(struct slice input, size_t piece, struct str *log)
{
    struct pool pool;
    struct buf in;
    struct reply r;
    enum result result = NEED_MORE;

    pool_init(&pool);
    buf_init(&in, &pool, LIMIT_BUF);
    reply_reset(&r);
    for (; result != BAD && input.len > 0; input = slice_skip(input, piece)) {
        ENSURE(buf_append(&in, slice_take(input, piece)));
        while ((result = reply_next(&r, &in)) == DONE) {
            struct slice bytes = slice_take(buf_bytes(&in), r.len);
            check_reply(&r, bytes);
            note(&r, bytes, log);
            buf_drop(&in, r.len);
            reply_reset(&r);
        }
        ENSURE(result != CONTINUE);
    }
    if (result == BAD)
        str_add(log, SLICE("BAD"));
    else
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
    feed(input, input.len, &whole);
    feed(input, 1 + data[0] % 16u, &pieces);
    ENSURE(slice_eq(str_slice(&whole), str_slice(&pieces)));
    return 0;
}
