/*
 * The contexts for the backends. Owns them; shares one store of trusted roots between backends that
 * name the same file. Verification is never off: chain, then name, then pins if there are any.
 * RFC 9525 (names, subjectAltName only), RFC 7469 section 2.4 (what a pin is).
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/set.h"
#include "waypost/base/str.h"

/* SHA-256 of the SubjectPublicKeyInfo, so that a pin outlives the renewal of a certificate. */
static bool pin_matches(const struct tls_peer *peer, X509 *leaf)
{
    unsigned char digest[32], *spki = NULL;
    int len = leaf == NULL ? -1 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    bool match = false;

    if (len > 0 && EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1)
        for (size_t i = 0; i < peer->pin_count; i++)
            match = match || memcmp(peer->pins[i], digest, sizeof(digest)) == 0;
    OPENSSL_free(spki);
    return match;
}

/* In the place of OpenSSL's own verification: that, and then the pins. */
static int verify(X509_STORE_CTX *store, void *arg)
{
    const struct tls_peer *peer = arg;

    if (X509_verify_cert(store) <= 0)
        return 0;
    if (peer->pin_count == 0 || pin_matches(peer, X509_STORE_CTX_get0_cert(store)))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static X509_STORE *system_store(const struct cert_site *site)
{
    X509_STORE *store = X509_STORE_new();

    if (store != NULL && X509_STORE_set_default_paths(store) == 1)
        return store;
    cert_site_add(site, "verify", "cannot use the system's certificates: %s", cert_reason());
    X509_STORE_free(store);
    return NULL;
}

static X509_STORE *file_store(const struct cert_site *site, const char *path)
{
    STACK_OF(X509) *roots = cert_read_chain(site, "verify/ca", path);
    X509_STORE *store = roots == NULL ? NULL : X509_STORE_new();
    bool good = store != NULL;

    for (int i = 0; good && i < sk_X509_num(roots); i++)
        good = X509_STORE_add_cert(store, sk_X509_value(roots, i)) == 1;
    sk_X509_pop_free(roots, X509_free);
    if (good)
        return store;
    if (roots != NULL)
        cert_site_add(site, "verify/ca", "cannot use %s: %s", path, cert_reason());
    X509_STORE_free(store);
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* A reference to the store of an earlier backend with the same roots, else a new one. */
static X509_STORE *store_for(const struct tls_set *set, const struct conf_routes *routes, size_t i,
                             const struct cert_site *site)
{
    const struct conf_backend *backends = routes->backends;

    for (size_t j = 0; j < i; j++) {
        X509_STORE *store;

        if (set->peers[j].ctx == NULL || !same_text(backends[i].verify_ca, backends[j].verify_ca))
            continue;
        store = SSL_CTX_get_cert_store(set->peers[j].ctx);
        return X509_STORE_up_ref(store) == 1 ? store : NULL;
    }
    return backends[i].verify_ca == NULL ? system_store(site)
                                         : file_store(site, backends[i].verify_ca);
}

static bool load_own(struct tls_peer *peer, const struct conf_backend *backend,
                     const struct cert_site *site)
{
    struct cert_pair pair;
    bool good;

    if (backend->client_chain == NULL || backend->client_key == NULL)
        return true;
    if (!cert_pair_load(site, backend->client_chain, backend->client_key, &pair))
        return false;
    good = SSL_CTX_use_cert_and_key(peer->ctx, pair.leaf, pair.key, pair.chain, 1) == 1;
    if (!good)
        cert_site_add(site, "chain", "cannot use the client certificate: %s", cert_reason());
    cert_pair_clear(&pair);
    return good;
}

/* What the backend must prove. Subject names are never looked at, and a wildcard stands for a whole
 * label (RFC 9525 section 6.3). */
static bool set_wanted(struct tls_peer *peer, const struct conf_backend *backend)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(peer->ctx);

    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_CTX_set_verify(peer->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(peer->ctx, verify, peer);
    peer->name = strdup(backend->verify_name);
    if (backend->pin_count > 0)
        peer->pins = calloc(backend->pin_count, sizeof(*peer->pins));
    if (peer->name == NULL || (backend->pin_count > 0 && peer->pins == NULL))
        return false;
    peer->pin_count = backend->pin_count;
    for (size_t i = 0; i < peer->pin_count; i++)
        memcpy(peer->pins[i], backend->pins[i], sizeof(peer->pins[i]));
    return X509_VERIFY_PARAM_set1_host(param, peer->name, 0) == 1;
}

static bool load_peer(struct tls_set *set, const struct conf_routes *routes, size_t i,
                      const struct cert_site *site)
{
    const struct conf_backend *backend = &routes->backends[i];
    struct tls_peer *peer = &set->peers[i];
    struct cert_site own = *site;
    char object[512];
    struct str text = STR_ON(object);
    X509_STORE *store;
    bool good;

    peer->ctx = tls_ctx_new(TLS_client_method());
    good = peer->ctx != NULL && set_wanted(peer, backend);
    if (!good) {
        cert_site_add(site, "verify", "cannot set up TLS: %s", cert_reason());
        return false;
    }
    /* A backend's tickets are not used, so they need not be sent and kept. */
    SSL_CTX_set_options(peer->ctx, SSL_OP_NO_TICKET);
    str_addf(&text, "%s/client_certificate", site->object);
    own.object = object;
    good = load_own(peer, backend, &own);
    store = store_for(set, routes, i, site);
    if (store == NULL)
        return false;
    SSL_CTX_set_cert_store(peer->ctx, store);
    return good;
}

/* "/backends/NAME" with NAME as RFC 6901 section 3 wants it. */
static void backend_pointer(struct str *into, const char *name)
{
    str_add(into, SLICE("/backends/"));
    for (; *name != '\0'; name++) {
        if (*name == '~')
            str_add(into, SLICE("~0"));
        else if (*name == '/')
            str_add(into, SLICE("~1"));
        else
            str_addc(into, *name);
    }
}

bool tls_peers_load(struct tls_set *set, const struct conf_routes *routes,
                    struct conf_errors *errors)
{
    bool good = true;

    if (routes->backend_count == 0)
        return true;
    set->peers = calloc(routes->backend_count, sizeof(*set->peers));
    if (set->peers == NULL) {
        conf_errors_add(errors, routes->path, 0, "/backends", "out of memory");
        return false;
    }
    set->peer_count = routes->backend_count;
    for (size_t i = 0; i < routes->backend_count; i++) {
        char object[512];
        struct str text = STR_ON(object);
        struct cert_site site = {errors, routes->path, object};

        if (routes->backends[i].tls == CONF_TLS_NONE)
            continue;
        backend_pointer(&text, routes->backends[i].name);
        good = load_peer(set, routes, i, &site) && good;
    }
    return good;
}

void tls_peers_free(struct tls_set *set)
{
    for (size_t i = 0; i < set->peer_count; i++) {
        SSL_CTX_free(set->peers[i].ctx);
        free(set->peers[i].name);
        free(set->peers[i].pins);
    }
    free(set->peers);
    set->peers = NULL;
    set->peer_count = 0;
}
