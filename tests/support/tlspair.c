/*
 * Joins two TLS engines, or an engine and OpenSSL itself, by queues. Owns all of it; no sockets.
 */
#include "tlspair.h"

#include <string.h>

#include <openssl/err.h>

#include "waypost/base/limits.h"

void tlsbed_open(struct tlsbed *bed)
{
    *bed = (struct tlsbed){.set = NULL};
    testca_open(&bed->ca);
    testca_issue(&bed->ca, &(struct testca_leaf){.file = "server", .names = "imap.example.com"});
    bed->conf.path = testca_path(&bed->ca, "waypost.json");
    bed->conf.tls.certificates = bed->certificates;
    bed->conf.routes = &bed->routes;
    bed->routes.path = testca_path(&bed->ca, "routes.json");
    bed->routes.backends = bed->backends;
    bed->routes.backend_count = 1;
    for (size_t i = 0; i < TLSBED_BACKENDS; i++) {
        static char names[TLSBED_BACKENDS][4] = {"one", "two", "3/~", "four"};
        static char host[] = "imap.example.com";
        bed->backends[i] = (struct conf_backend){.name = names[i],
                                                 .index = i,
                                                 .host = host,
                                                 .tls = CONF_TLS_IMPLICIT,
                                                 .verify_name = host,
                                                 .verify_ca = testca_path(&bed->ca, "ca.pem"),
                                                 .pins = bed->pins};
    }
    tlsbed_present(bed, "server");
    bed->tickets = tls_tickets_new(NULL, &bed->errors);
    REQUIRE(bed->tickets != NULL);
}

void tlsbed_close(struct tlsbed *bed)
{
    tls_set_free(&bed->set);
    tls_tickets_free(&bed->tickets);
    conf_errors_clear(&bed->errors);
    testca_close(&bed->ca);
}

void tlsbed_present(struct tlsbed *bed, const char *file)
{
    char chain[64], key[64];

    REQUIRE(bed->conf.tls.certificate_count < TLSBED_CERTIFICATES);
    snprintf(chain, sizeof(chain), "%s.pem", file);
    snprintf(key, sizeof(key), "%s.key", file);
    bed->certificates[bed->conf.tls.certificate_count++] =
        (struct conf_certificate){testca_path(&bed->ca, chain), testca_path(&bed->ca, key)};
}

bool tlsbed_load(struct tlsbed *bed)
{
    tls_set_free(&bed->set);
    conf_errors_clear(&bed->errors);
    return tls_set_new(&bed->conf, bed->tickets, &bed->set, &bed->errors);
}

const char *tlsbed_finding(const struct tlsbed *bed, const char *pointer)
{
    for (size_t i = 0; i < bed->errors.count; i++)
        if (strcmp(bed->errors.list[i].pointer, pointer) == 0)
            return bed->errors.list[i].text;
    return NULL;
}

void tlsend_open(struct tlsend *end, struct tls_engine *engine, struct pool *pool, size_t max)
{
    REQUIRE(engine != NULL);
    end->engine = engine;
    buf_init(&end->wire_in, pool, max);
    buf_init(&end->wire_out, pool, max);
    buf_init(&end->in, pool, max);
    buf_init(&end->out, pool, max);
    end->io = (struct tls_io){&end->wire_in, &end->wire_out, &end->in, &end->out, false};
}

void tlsend_close(struct tlsend *end)
{
    tls_engine_free(&end->engine);
    buf_fini(&end->wire_in);
    buf_fini(&end->wire_out);
    buf_fini(&end->in);
    buf_fini(&end->out);
}

void tlspair_open(struct tlspair *pair, struct tls_set *set, size_t max, size_t step)
{
    static const struct conf_backend first = {.index = 0};

    pair->step = step;
    pool_init(&pair->pool);
    tlsend_open(&pair->client, tls_engine_backend(set, &first), &pair->pool, max);
    tlsend_open(&pair->server, tls_engine_server(set), &pair->pool, max);
}

void tlspair_close(struct tlspair *pair)
{
    tlsend_close(&pair->client);
    tlsend_close(&pair->server);
    pool_fini(&pair->pool);
}

bool tlspair_turn(struct tlspair *pair)
{
    bool moved = tls_advance(pair->client.engine, &pair->client.io);

    moved = buf_move(&pair->server.wire_in, &pair->client.wire_out, pair->step) > 0 || moved;
    moved = tls_advance(pair->server.engine, &pair->server.io) || moved;
    return buf_move(&pair->client.wire_in, &pair->server.wire_out, pair->step) > 0 || moved;
}

void tlspair_run(struct tlspair *pair)
{
    while (tlspair_turn(pair))
        ;
}

bool tlspair_shake(struct tlspair *pair)
{
    tlspair_run(pair);
    return tls_engine_state(pair->client.engine) == TLS_OPEN &&
           tls_engine_state(pair->server.engine) == TLS_OPEN;
}

void tlsraw_client(struct tlsraw *raw, struct tlsbed *bed)
{
    *raw = (struct tlsraw){.ctx = SSL_CTX_new(TLS_client_method())};
    REQUIRE(raw->ctx != NULL);
    SSL_CTX_set_verify(raw->ctx, SSL_VERIFY_PEER, NULL);
    REQUIRE(SSL_CTX_load_verify_file(raw->ctx, testca_path(&bed->ca, "ca.pem")) == 1);
}

void tlsraw_server(struct tlsraw *raw, struct tlsbed *bed)
{
    *raw = (struct tlsraw){.ctx = SSL_CTX_new(TLS_server_method())};
    REQUIRE(raw->ctx != NULL);
    REQUIRE(SSL_CTX_use_certificate_chain_file(raw->ctx, testca_path(&bed->ca, "server.pem")) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(raw->ctx, testca_path(&bed->ca, "server.key"),
                                        SSL_FILETYPE_PEM) == 1);
}

void tlsraw_meet(struct tlsraw *raw, struct tls_engine *engine, size_t max)
{
    BIO *own;

    pool_init(&raw->pool);
    tlsend_open(&raw->end, engine, &raw->pool, max);
    REQUIRE(BIO_new_bio_pair(&own, 0, &raw->net, 0) == 1);
    raw->ssl = SSL_new(raw->ctx);
    REQUIRE(raw->ssl != NULL);
    SSL_set_bio(raw->ssl, own, own);
    if (SSL_CTX_get_ssl_method(raw->ctx) == TLS_client_method())
        SSL_set_connect_state(raw->ssl);
    else
        SSL_set_accept_state(raw->ssl);
}

/* Whatever fits, one piece a call. */
static bool carry_in(struct tlsraw *raw)
{
    char piece[4096];
    size_t want = buf_room(&raw->end.wire_in);
    int got;

    want = want < sizeof(piece) ? want : sizeof(piece);
    got = want == 0 ? 0 : BIO_read(raw->net, piece, (int)want);
    return got > 0 && buf_append(&raw->end.wire_in, slice_of(piece, (size_t)got));
}

static bool carry_out(struct tlsraw *raw)
{
    struct slice bytes = buf_bytes(&raw->end.wire_out);
    int put = bytes.len == 0 ? 0 : BIO_write(raw->net, bytes.ptr, (int)bytes.len);

    if (put <= 0)
        return false;
    buf_drop(&raw->end.wire_out, (size_t)put);
    return true;
}

void tlsraw_carry(struct tlsraw *raw)
{
    bool moved;

    do {
        moved = carry_in(raw);
        moved = tls_advance(raw->end.engine, &raw->end.io) || moved;
        moved = carry_out(raw) || moved;
    } while (moved);
}

bool tlsraw_shake(struct tlsraw *raw)
{
    /* A handshake has few flights; each turn completes at least one. */
    for (int turn = 0; turn < 16 && raw->reason == 0; turn++) {
        int rc;

        ERR_clear_error();
        rc = SSL_do_handshake(raw->ssl);
        if (SSL_get_error(raw->ssl, rc) == SSL_ERROR_SSL)
            raw->reason = ERR_GET_REASON(ERR_peek_error());
        tlsraw_carry(raw);
    }
    return SSL_is_init_finished(raw->ssl) && tls_engine_state(raw->end.engine) == TLS_OPEN;
}

int tlsraw_alert(struct tlsraw *raw)
{
    char byte;

    /* In TLS 1.3 a client is done before the server has judged it. */
    if (raw->reason == 0 && tlsraw_read(raw, &byte, 1) <= 0)
        raw->reason = ERR_GET_REASON(ERR_peek_error());
    return raw->reason;
}

int tlsraw_read(struct tlsraw *raw, void *into, int len)
{
    tlsraw_carry(raw);
    ERR_clear_error();
    return SSL_read(raw->ssl, into, len);
}

void tlsraw_part(struct tlsraw *raw)
{
    SSL_free(raw->ssl);
    BIO_free(raw->net);
    raw->ssl = NULL;
    raw->net = NULL;
    raw->reason = 0;
    tlsend_close(&raw->end);
    pool_fini(&raw->pool);
}

void tlsraw_close(struct tlsraw *raw)
{
    if (raw->ssl != NULL)
        tlsraw_part(raw);
    SSL_CTX_free(raw->ctx);
    raw->ctx = NULL;
}
