/*
 * The SSL_CTX of the client side, and the set that holds it together with those of the backends.
 * Owns them all; borrows the ticket keys. Callbacks of OpenSSL in here only choose and record.
 * RFC 8446, RFC 9325 (what to allow), RFC 6066 section 3 (server names), RFC 7301 (ALPN).
 */
#include "waypost/tls/context.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "tls/set.h"
#include "waypost/base/slice.h"

/* Forward secrecy and authenticated encryption only; ECDSA first because it is cheaper for us. */
#define CIPHERS                                                  \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERSUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS       "X25519:P-256:P-384"

/* Renegotiation is a lever for denial of service (RFC 9325 section 3.5), compression leaks. */
#define OPTIONS (SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION)
/* OpenSSL keeps the last record decrypted until the next one; a client's may be a password. */
#define SERVER_OPTIONS \
    (SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CLEANSE_PLAINTEXT)
#define MODES \
    (SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS)

SSL_CTX *tls_ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_mode(ctx, MODES);
    SSL_CTX_set_options(ctx, OPTIONS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* RFC 8996: nothing below TLS 1.2, whatever the system's defaults say. */
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set1_groups_list(ctx, GROUPS) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

/* RFC 7301 section 3.2: who offers protocols but not ours means somebody else (ALPACA). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    UNUSED(ssl);
    UNUSED(arg);
    for (unsigned at = 0; at < in_len; at += 1u + in[at]) {
        if (!slice_eq(slice_of(in + at + 1, in[at]), SLICE("imap")))
            continue;
        *out = in + at + 1;
        *out_len = in[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Runs in resumed handshakes too, where no certificate is chosen any more. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const struct tls_set *set = arg;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct cert_choice ignored;

    if (host == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    if (!set->refuse_unknown_sni || cert_table_find(&set->certs, host, &ignored))
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Replaces the context's certificates, which are those of the default name, where another name is
 * wanted. Most connections ask for the default and keep sharing what the context has. */
static int on_certificate(SSL *ssl, void *arg)
{
    const struct tls_set *set = arg;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct cert_choice choice;

    if (host == NULL || !cert_table_find(&set->certs, host, &choice) ||
        memcmp(&choice, &set->certs.fallback, sizeof(choice)) == 0)
        return 1;
    SSL_certs_clear(ssl);
    for (unsigned kind = 0; kind < CERT_KINDS; kind++) {
        const struct cert_pair *pair = choice.of[kind];
        if (pair != NULL && SSL_use_cert_and_key(ssl, pair->leaf, pair->key, pair->chain, 1) != 1)
            return 0;
    }
    return 1;
}

/* Every pair is tried on one connection that is never made, so that what OpenSSL refuses (a key
 * too short, say) is found at start-up and not in a handshake. */
static bool use_certificates(struct tls_set *set, const struct cert_site *site)
{
    SSL *trial = SSL_new(set->server);
    bool good = trial != NULL;

    for (size_t i = 0; trial != NULL && i < set->certs.pair_count; i++) {
        const struct cert_pair *pair = &set->certs.pairs[i];
        if (SSL_use_cert_and_key(trial, pair->leaf, pair->key, pair->chain, 1) == 1)
            continue;
        cert_site_add(site, "certificates", "cannot use certificate %zu: %s", i, cert_reason());
        good = false;
    }
    SSL_free(trial);
    for (unsigned kind = 0; good && kind < CERT_KINDS; kind++) {
        const struct cert_pair *pair = set->certs.fallback.of[kind];
        good = pair == NULL ||
               SSL_CTX_use_cert_and_key(set->server, pair->leaf, pair->key, pair->chain, 1) == 1;
    }
    return good;
}

static bool set_list(int (*set)(SSL_CTX *, const char *), SSL_CTX *ctx, const char *list,
                     const char *key, const struct cert_site *site)
{
    if (set(ctx, list) == 1)
        return true;
    cert_site_add(site, key, "\"%s\" is no list that OpenSSL can use: %s", list, cert_reason());
    return false;
}

static int set_groups(SSL_CTX *ctx, const char *list)
{
    return (int)SSL_CTX_set1_groups_list(ctx, list);
}

static bool use_lists(SSL_CTX *ctx, const struct conf_tls *tls, const struct cert_site *site)
{
    const struct {
        int (*set)(SSL_CTX *, const char *);
        const char *key, *list;
    } rows[] = {
        {SSL_CTX_set_cipher_list, "ciphers", tls->ciphers == NULL ? CIPHERS : tls->ciphers},
        {SSL_CTX_set_ciphersuites, "ciphersuites",
         tls->ciphersuites == NULL ? CIPHERSUITES : tls->ciphersuites},
        {set_groups, "groups", tls->groups == NULL ? GROUPS : tls->groups},
    };
    bool good = true;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        good = set_list(rows[i].set, ctx, rows[i].list, rows[i].key, site) && good;
    return good;
}

/* Trusts the certificates of `roots` for clients and names them in the request. */
static bool trust(SSL_CTX *ctx, STACK_OF(X509) * roots, EVP_MD_CTX *digest)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    unsigned char print[EVP_MAX_MD_SIZE];
    unsigned len;

    for (int i = 0; i < sk_X509_num(roots); i++) {
        X509 *root = sk_X509_value(roots, i);
        if (X509_STORE_add_cert(store, root) != 1 || SSL_CTX_add_client_CA(ctx, root) != 1 ||
            X509_digest(root, EVP_sha256(), print, &len) != 1 ||
            EVP_DigestUpdate(digest, print, len) != 1)
            return false;
    }
    return true;
}

/*
 * A resumed session carries over what was verified once. The session id context therefore depends
 * on who is trusted: after a reload with another CA, or another mode, old tickets do not resume.
 */
static bool use_client_auth(SSL_CTX *ctx, const struct conf_tls *tls, const struct cert_site *site)
{
    unsigned char id[EVP_MAX_MD_SIZE], auth = (unsigned char)tls->client_auth;
    STACK_OF(X509) *roots = NULL;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned len;
    bool good = digest != NULL && EVP_DigestInit_ex2(digest, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(digest, &auth, sizeof(auth)) == 1;

    if (tls->client_auth != CONF_CLIENT_AUTH_NONE) {
        if (tls->client_ca == NULL)
            cert_site_add(site, "client_ca", "is needed to verify client certificates");
        else
            roots = cert_read_chain(site, "client_ca", tls->client_ca);
        good = good && roots != NULL && trust(ctx, roots, digest);
        SSL_CTX_set_verify(ctx,
                           SSL_VERIFY_PEER | (tls->client_auth == CONF_CLIENT_AUTH_REQUIRE
                                                  ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                                  : 0),
                           NULL);
    }
    good = good && EVP_DigestFinal_ex(digest, id, &len) == 1 &&
           SSL_CTX_set_session_id_context(ctx, id, len) == 1;
    sk_X509_pop_free(roots, X509_free);
    EVP_MD_CTX_free(digest);
    return good;
}

static bool use_tickets(SSL_CTX *ctx, struct tls_tickets *tickets)
{
    SSL_CTX_set_timeout(ctx, TLS_TICKET_PERIOD);
    /* One ticket per handshake, not two: a mail client opens one connection at a time. No early
     * data, ever: a LOGIN in it could be replayed (RFC 8446 section 8). */
    return SSL_CTX_set_num_tickets(ctx, 1) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
           tls_tickets_attach(tickets, ctx);
}

static bool load_server(struct tls_set *set, const struct conf *conf, struct tls_tickets *tickets,
                        struct conf_errors *errors)
{
    const struct conf_tls *tls = &conf->tls;
    struct cert_site site = {errors, conf->path, "/tls"};
    size_t found = errors->count;
    bool good;

    set->refuse_unknown_sni = tls->refuse_unknown_sni;
    set->server = tls_ctx_new(TLS_server_method());
    good = set->server != NULL && use_tickets(set->server, tickets);
    if (good) {
        SSL_CTX_set_options(set->server, SERVER_OPTIONS);
        SSL_CTX_set_alpn_select_cb(set->server, on_alpn, NULL);
        SSL_CTX_set_tlsext_servername_callback(set->server, on_server_name);
        SSL_CTX_set_tlsext_servername_arg(set->server, set);
        SSL_CTX_set_cert_cb(set->server, on_certificate, set);
        if (tls->min_version == CONF_TLS_1_3)
            good = SSL_CTX_set_min_proto_version(set->server, TLS1_3_VERSION) == 1;
        good = use_lists(set->server, tls, &site) && good;
        good = use_client_auth(set->server, tls, &site) && good;
    }
    if (cert_table_load(tls, conf->path, errors, &set->certs))
        good = good && use_certificates(set, &site);
    else
        good = false;
    /* Every refusal leaves a finding; short of memory OpenSSL fails where we had none to add. */
    if (!good && errors->count == found)
        cert_site_add(&site, "certificates", "cannot set up TLS: %s", cert_reason());
    return good;
}

bool tls_set_new(const struct conf *conf, struct tls_tickets *tickets, struct tls_set **out,
                 struct conf_errors *errors)
{
    struct tls_set *set = calloc(1, sizeof(*set));
    bool good;

    if (set == NULL) {
        conf_errors_add(errors, conf->path, 0, "/tls", "out of memory");
        return false;
    }
    atomic_init(&set->references, 1);
    good = load_server(set, conf, tickets, errors);
    good = tls_peers_load(set, conf->routes, errors) && good;
    ERR_clear_error();
    if (good)
        *out = set;
    else
        tls_set_free(&set);
    return good;
}

struct tls_set *tls_set_hold(struct tls_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void tls_set_free(struct tls_set **set)
{
    struct tls_set *s = *set;

    *set = NULL;
    if (s == NULL || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1)
        return;
    SSL_CTX_free(s->server);
    cert_table_clear(&s->certs);
    tls_peers_free(s);
    free(s);
}

void tls_thread_rest(void)
{
    OPENSSL_thread_stop();
}
