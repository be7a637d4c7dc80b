/*
 * A BIO whose two ends are bounded buffers. Owns the one BIO method of the process, borrows the
 * buffers; keeps no byte of its own and never grows anything. An empty input means "try again":
 * whether more can come is for the engine to say.
 */
#include "tls/wire.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

static BIO_METHOD *wire_method;
static pthread_once_t wire_once = PTHREAD_ONCE_INIT;

static int wire_read(BIO *bio, char *bytes, int len)
{
    struct tls_wire *wire = BIO_get_data(bio);
    struct slice have;

    REQUIRE(wire->in != NULL);
    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    have = slice_take(buf_bytes(wire->in), (size_t)len);
    if (have.len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(bytes, have.ptr, have.len);
    buf_drop(wire->in, have.len);
    return (int)have.len;
}

static int wire_write(BIO *bio, const char *bytes, int len)
{
    struct tls_wire *wire = BIO_get_data(bio);
    size_t want, space;
    char *at;

    REQUIRE(wire->out != NULL);
    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    want = (size_t)len;
    at = buf_space(wire->out, want, &space);
    if (at == NULL) {
        wire->starved = buf_room(wire->out) > 0;
        if (!wire->starved)
            BIO_set_retry_write(bio);
        return -1;
    }
    want = want < space ? want : space;
    memcpy(at, bytes, want);
    buf_commit(wire->out, want);
    return (int)want;
}

static long wire_ctrl(BIO *bio, int what, long number, void *pointer)
{
    UNUSED(bio);
    UNUSED(number);
    UNUSED(pointer);
    /* Nothing is held back, so a flush has always been done already. */
    return what == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "waypost wire");

    if (method == NULL)
        return;
    if (BIO_meth_set_read(method, wire_read) != 1 || BIO_meth_set_write(method, wire_write) != 1 ||
        BIO_meth_set_ctrl(method, wire_ctrl) != 1) {
        BIO_meth_free(method);
        return;
    }
    wire_method = method;
}

BIO *tls_wire_bio(struct tls_wire *wire)
{
    BIO *bio;

    if (pthread_once(&wire_once, make_method) != 0 || wire_method == NULL)
        return NULL;
    bio = BIO_new(wire_method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    return bio;
}
