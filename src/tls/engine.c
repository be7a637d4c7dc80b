/*
 * One TLS connection between four buffers. Owns an SSL and a reference to the set it came from;
 * borrows the buffers for the length of a call. Never sees a socket, keeps no plaintext.
 * RFC 8446, RFC 5246. Every call of SSL I/O is in ssl_call, nowhere else.
 */
#include "waypost/tls/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/set.h"
#include "tls/wire.h"
#include "waypost/base/limits.h"

/* More than any cipher suite adds to a record: header, explicit nonce, tag or MAC and padding. */
#define RECORD_OVERHEAD 256u

enum finish { FINISH_NO, FINISH_WANTED, FINISH_DONE };

struct tls_engine {
    SSL *ssl;                    /* owned, and through it the BIO */
    struct tls_set *set;         /* a reference */
    const struct tls_peer *peer; /* what the backend must prove; NULL: we are the server */
    struct tls_wire wire;
    enum tls_state state;
    enum tls_failure failure;
    enum finish finish;
    bool writing; /* part of a record is out: the same bytes must be offered again */
    char *detail; /* owned; NULL: nothing to tell, or no memory to tell it */
    struct cert_holder holder;
};

enum ssl_op { OP_HANDSHAKE, OP_READ, OP_WRITE, OP_SHUTDOWN };

static struct tls_engine *engine_new(struct tls_set *set, SSL_CTX *ctx, const struct tls_peer *peer)
{
    struct tls_engine *e = calloc(1, sizeof(*e));
    BIO *bio;

    if (e == NULL)
        return NULL;
    e->set = tls_set_hold(set);
    e->peer = peer;
    e->ssl = SSL_new(ctx);
    bio = e->ssl == NULL ? NULL : tls_wire_bio(&e->wire);
    if (bio == NULL) {
        tls_engine_free(&e);
        return NULL;
    }
    SSL_set_bio(e->ssl, bio, bio);
    return e;
}

struct tls_engine *tls_engine_server(struct tls_set *set)
{
    struct tls_engine *e = engine_new(set, set->server, NULL);

    if (e != NULL)
        SSL_set_accept_state(e->ssl);
    return e;
}

struct tls_engine *tls_engine_backend(struct tls_set *set, const struct conf_backend *backend)
{
    const struct tls_peer *peer;
    struct tls_engine *e;

    REQUIRE(backend->index < set->peer_count);
    peer = &set->peers[backend->index];
    REQUIRE(peer->ctx != NULL);
    e = engine_new(set, peer->ctx, peer);
    if (e == NULL)
        return NULL;
    SSL_set_connect_state(e->ssl);
    if (SSL_set_tlsext_host_name(e->ssl, peer->name) != 1)
        tls_engine_free(&e);
    return e;
}

void tls_engine_free(struct tls_engine **engine)
{
    struct tls_engine *e = *engine;

    if (e == NULL)
        return;
    SSL_free(e->ssl);
    tls_set_free(&e->set);
    free(e->detail);
    cert_holder_clear(&e->holder);
    free(e);
    *engine = NULL;
}

/*
 * The only door to SSL I/O. The queue of errors belongs to the thread, not to the connection: an
 * entry left behind by another one would turn a harmless WANT_READ of ours into a failure, so it is
 * cleared right before, and the outcome is judged right after.
 */
static int ssl_call(struct tls_engine *e, enum ssl_op op, void *to, struct slice from, size_t *done)
{
    int rc = -1;

    ERR_clear_error();
    switch (op) {
    case OP_HANDSHAKE:
        rc = SSL_do_handshake(e->ssl);
        break;
    case OP_READ:
        rc = SSL_read_ex(e->ssl, to, from.len, done);
        break;
    case OP_WRITE:
        rc = SSL_write_ex(e->ssl, from.ptr, from.len, done);
        break;
    case OP_SHUTDOWN:
        rc = SSL_shutdown(e->ssl);
        /* 0: ours is out, the peer's has not come; SSL_get_error would call that a failure. */
        rc = rc == 0 ? 1 : rc;
        break;
    }
    return SSL_get_error(e->ssl, rc);
}

static void end(struct tls_engine *e, enum tls_state state, enum tls_failure failure,
                const char *text)
{
    e->state = state;
    e->failure = failure;
    free(e->detail);
    e->detail = text == NULL ? NULL : strdup(text);
}

/* Says what did not verify. `why` is OpenSSL's text, the name comes from the configuration. */
static void end_unverified(struct tls_engine *e, long result)
{
    const char *why = result == X509_V_ERR_APPLICATION_VERIFICATION
                          ? "public key matches no pin"
                          : X509_verify_cert_error_string(result);
    char text[128];

    if (e->peer == NULL)
        snprintf(text, sizeof(text), "client certificate: %s", why);
    else
        snprintf(text, sizeof(text), "%s, wanted %s", why, e->peer->name);
    end(e, TLS_FAILED, TLS_VERIFY, text);
}

static void end_failed(struct tls_engine *e)
{
    long result = SSL_get_verify_result(e->ssl);
    unsigned long code = ERR_peek_error();

    if (e->wire.starved || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        end(e, TLS_FAILED, TLS_MEMORY, "out of memory");
    else if (e->state == TLS_HANDSHAKE && result != X509_V_OK)
        end_unverified(e, result);
    else if (ERR_GET_REASON(code) == SSL_R_CALLBACK_FAILED)
        end(e, TLS_FAILED, TLS_PROTOCOL, "unknown server name");
    else
        end(e, TLS_FAILED, TLS_PROTOCOL, cert_reason());
    ERR_clear_error();
}

/* Turns the outcome of a call that did not succeed into a state. Wanting more is no change, unless
 * the transport has ended: then nothing more will come (RFC 8446 section 6.1). */
static void judge(struct tls_engine *e, const struct tls_io *io, int error)
{
    bool early = e->state == TLS_HANDSHAKE;

    switch (error) {
    case SSL_ERROR_WANT_WRITE:
        break;
    case SSL_ERROR_WANT_READ:
        if (io->wire_eof && buf_empty(io->wire_in))
            end(e, TLS_TRUNCATED, TLS_FINE,
                early ? "connection ended during the handshake"
                      : "connection ended without notice");
        break;
    case SSL_ERROR_ZERO_RETURN:
        end(e, TLS_CLOSED, TLS_FINE, early ? "peer closed during the handshake" : NULL);
        break;
    default:
        end_failed(e);
        break;
    }
}

static void shake(struct tls_engine *e, const struct tls_io *io)
{
    int error = ssl_call(e, OP_HANDSHAKE, NULL, slice_of(NULL, 0), NULL);
    long result;

    if (error != SSL_ERROR_NONE) {
        judge(e, io, error);
        return;
    }
    /* The context demands verification already; a backend is not believed on one line of set-up. */
    result = SSL_get0_peer_certificate(e->ssl) == NULL ? X509_V_ERR_UNSPECIFIED
                                                       : SSL_get_verify_result(e->ssl);
    if (e->peer != NULL && result != X509_V_OK) {
        end_unverified(e, result);
        return;
    }
    e->state = TLS_OPEN;
    if (e->peer == NULL)
        e->holder = cert_holder_of(e->ssl);
}

/* True when SSL_read might find or do something: it costs a block and a record buffer to ask. */
static bool may_read(const struct tls_engine *e, const struct tls_io *io)
{
    return !buf_empty(io->wire_in) || io->wire_eof || SSL_has_pending(e->ssl) ||
           SSL_want_write(e->ssl);
}

/* wire_in -> in, at most one record. Decrypts straight into the buffer of the port. */
static void read_record(struct tls_engine *e, struct tls_io *io)
{
    /* Plaintext is shorter than its ciphertext: so much will be asked for in the end. */
    size_t want = buf_len(io->wire_in) + (size_t)SSL_pending(e->ssl) + 1;
    size_t space, done = 0;
    char *at;
    int error;

    if (buf_room(io->in) == 0 || !may_read(e, io))
        return;
    at = buf_space(io->in, want, &space);
    if (at == NULL) {
        end(e, TLS_FAILED, TLS_MEMORY, "out of memory");
        return;
    }
    error = ssl_call(e, OP_READ, at, slice_of(NULL, space), &done);
    buf_commit(io->in, error == SSL_ERROR_NONE ? done : 0);
    if (error != SSL_ERROR_NONE)
        judge(e, io, error);
}

/* out -> wire_out, at most one record. */
static void write_record(struct tls_engine *e, struct tls_io *io)
{
    struct slice bytes = slice_take(buf_bytes(io->out), LIMIT_TLS_RECORD);
    size_t whole = buf_len(io->out) + RECORD_OVERHEAD;
    size_t space, done = 0;
    int error;

    if (bytes.len == 0)
        return;
    /* A record that only half fits would pin OpenSSL's buffer until the rest is out, so it waits
     * for what is ahead of it; unless nothing is, for then waiting does not help. */
    if (!e->writing && !buf_empty(io->wire_out) &&
        buf_room(io->wire_out) < bytes.len + RECORD_OVERHEAD)
        return;
    /* One block for all that is to come, instead of a larger one with every record. The BIO finds
     * out if there is none. */
    if (buf_space(io->wire_out, whole, &space) == NULL)
        space = 0;
    error = ssl_call(e, OP_WRITE, NULL, bytes, &done);
    if (space > 0)
        buf_commit(io->wire_out, 0);
    e->writing = error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
    if (error == SSL_ERROR_NONE)
        buf_drop(io->out, done);
    else if (!e->writing)
        end_failed(e);
}

/* The close_notify alert follows the last byte of `out`. Whether the peer answers is of no interest
 * (RFC 8446 section 6.1), and neither is why it could not be sent. */
static void shut(struct tls_engine *e)
{
    int error = ssl_call(e, OP_SHUTDOWN, NULL, slice_of(NULL, 0), NULL);

    if (error != SSL_ERROR_WANT_WRITE)
        e->finish = FINISH_DONE;
}

static bool may_write(const struct tls_engine *e)
{
    return e->state != TLS_FAILED && SSL_is_init_finished(e->ssl);
}

/* One step of each thing that can be done in the present state. */
static void step(struct tls_engine *e, struct tls_io *io)
{
    if (e->state == TLS_HANDSHAKE)
        shake(e, io);
    if (e->finish != FINISH_DONE && may_write(e))
        write_record(e, io);
    if (e->finish == FINISH_WANTED && buf_empty(io->out) && may_write(e))
        shut(e);
    if (e->state == TLS_OPEN && e->finish != FINISH_DONE)
        read_record(e, io);
    /* What follows the end must be ignored (RFC 8446 section 6.1); it would only hold a block. */
    if (e->state > TLS_OPEN || e->finish == FINISH_DONE)
        buf_drop(io->wire_in, buf_len(io->wire_in));
}

/* What a step may change: each length goes one way only, so equal marks mean that nothing moved. */
struct mark {
    size_t wire_in, wire_out, in, out;
    enum tls_state state;
};

static struct mark mark_of(const struct tls_engine *e, const struct tls_io *io)
{
    return (struct mark){buf_len(io->wire_in), buf_len(io->wire_out), buf_len(io->in),
                         buf_len(io->out), e->state};
}

static bool mark_eq(const struct mark *a, const struct mark *b)
{
    return a->wire_in == b->wire_in && a->wire_out == b->wire_out && a->in == b->in &&
           a->out == b->out && a->state == b->state;
}

bool tls_advance(struct tls_engine *e, struct tls_io *io)
{
    struct mark first = mark_of(e, io), before, after = first;

    e->wire.in = io->wire_in;
    e->wire.out = io->wire_out;
    do {
        before = after;
        step(e, io);
        after = mark_of(e, io);
    } while (!mark_eq(&before, &after));
    e->wire.in = e->wire.out = NULL;
    return !mark_eq(&first, &after);
}

void tls_finish(struct tls_engine *e, struct tls_io *io)
{
    /* In the middle of a handshake there is nothing to close, and SSL_shutdown would only complain;
     * after a fatal error the alert has been said. */
    if (e->finish == FINISH_NO && may_write(e))
        e->finish = FINISH_WANTED;
    (void)tls_advance(e, io);
}

enum tls_state tls_engine_state(const struct tls_engine *e)
{
    return e->state;
}

enum tls_failure tls_engine_failure(const struct tls_engine *e)
{
    return e->failure;
}

const char *tls_engine_detail(const struct tls_engine *e)
{
    return e->detail == NULL ? "" : e->detail;
}

const char *tls_engine_version(const struct tls_engine *e)
{
    return SSL_get_version(e->ssl);
}

const char *tls_engine_cipher(const struct tls_engine *e)
{
    return SSL_get_cipher_name(e->ssl);
}

const char *tls_engine_sni(const struct tls_engine *e)
{
    const char *name = SSL_get_servername(e->ssl, TLSEXT_NAMETYPE_host_name);

    return name != NULL && cert_host_plausible(slice_str(name)) ? name : "";
}

bool tls_engine_resumed(const struct tls_engine *e)
{
    return SSL_session_reused(e->ssl) == 1;
}

const char *tls_engine_alpn(const struct tls_engine *e)
{
    const unsigned char *chosen;
    unsigned len;

    /* Nothing else is ever agreed on. */
    SSL_get0_alpn_selected(e->ssl, &chosen, &len);
    return len > 0 ? "imap" : NULL;
}

const char *tls_engine_cert_email(const struct tls_engine *e)
{
    return e->holder.email;
}

const char *tls_engine_cert_name(const struct tls_engine *e)
{
    return e->holder.name;
}
