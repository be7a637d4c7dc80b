/*
 * Certificates with their keys, and which of them a host name selects. Private to src/tls.
 */
#pragma once

#include <stddef.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "waypost/base/check.h"
#include "waypost/base/slice.h"
#include "waypost/conf/conf.h"

/* Where findings belong: a file and a JSON pointer to an object in it. */
struct cert_site {
    struct conf_errors *errors;
    const char *file;
    const char *object;
};

/* Adds a finding about member `key` of the site's object. */
void cert_site_add(const struct cert_site *site, const char *key, const char *format, ...)
    PRINTF(3, 4);
/* Short static text of the oldest error of OpenSSL's queue, which is emptied. */
const char *cert_reason(void);

/* OpenSSL keeps one certificate of each kind, so a name may have one of each. */
enum cert_kind { CERT_EC, CERT_RSA, CERT_RSA_PSS, CERT_ED25519, CERT_ED448, CERT_KINDS };

struct cert_pair {
    X509 *leaf;             /* owned */
    STACK_OF(X509) * chain; /* owned; the intermediates, may be empty */
    EVP_PKEY *key;          /* owned */
    enum cert_kind kind;
};

/* Every certificate of a PEM file, at least one. NULL with a finding about `key` otherwise. */
MUST_USE
STACK_OF(X509) * cert_read_chain(const struct cert_site *site, const char *key, const char *path);
/* Reads both files and proves that they belong together (RFC 5280 leaves it to us). On failure
 * every finding is added and *out is untouched. */
MUST_USE
bool cert_pair_load(const struct cert_site *site, const char *chain, const char *key,
                    struct cert_pair *out);
void cert_pair_clear(struct cert_pair *pair);
/* What a client's certificate calls its holder. UTF-8 without control characters, of at most
 * LIMIT_USER bytes; NULL: nothing of that kind. */
struct cert_holder {
    char *email; /* owned; the first rfc822Name of the subjectAltName */
    char *name;  /* owned; the only common name of the subject */
};

/* The holder of the certificate that the client of a finished handshake has shown; all NULL unless
 * it was verified and is still valid. */
struct cert_holder cert_holder_of(const SSL *ssl);
void cert_holder_clear(struct cert_holder *holder);

/* One certificate per kind; NULL: none. */
struct cert_choice {
    const struct cert_pair *of[CERT_KINDS];
};

struct cert_table {
    struct cert_pair *pairs; /* owned, in the order of the configuration */
    size_t pair_count;
    struct cert_name *names; /* owned, sorted */
    size_t name_count;
    struct cert_choice fallback; /* the first pair, and those that cover every name of it */
};

/* Loads the certificates of `tls`. On failure all findings are added and *out is untouched. */
MUST_USE
bool cert_table_load(const struct conf_tls *tls, const char *file, struct conf_errors *errors,
                     struct cert_table *out);
void cert_table_clear(struct cert_table *table);
/* Letters, digits, "-", "_" and "." only, and of a length that DNS allows. */
bool cert_host_plausible(struct slice host);
/* The certificates for `host` (RFC 6066 section 3, RFC 9525 section 6.3): its own and those of a
 * wildcard for its left-most label. False when there is none; then *out is untouched. */
MUST_USE
bool cert_table_find(const struct cert_table *table, const char *host, struct cert_choice *out);
