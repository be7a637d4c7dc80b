/*
 * Reads certificates and keys from PEM files. Owns what it hands out until the caller has it; never
 * asks for a passphrase, never prints key material. Findings go to struct conf_errors, all of them.
 * RFC 7468 (files), RFC 5280 (certificates).
 */
#include "tls/certs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "waypost/base/str.h"

static const int kind_id[CERT_KINDS] = {
    [CERT_EC] = EVP_PKEY_EC,           [CERT_RSA] = EVP_PKEY_RSA,
    [CERT_RSA_PSS] = EVP_PKEY_RSA_PSS, [CERT_ED25519] = EVP_PKEY_ED25519,
    [CERT_ED448] = EVP_PKEY_ED448,
};

void cert_site_add(const struct cert_site *site, const char *key, const char *format, ...)
{
    char pointer[512], text[512];
    struct str where = STR_ON(pointer);
    va_list args;

    str_addf(&where, "%s/%s", site->object, key);
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    conf_errors_add(site->errors, site->file, 0, pointer, "%s", text);
}

const char *cert_reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_error());

    ERR_clear_error();
    return text == NULL ? "unspecified failure" : text;
}

static FILE *open_file(const struct cert_site *site, const char *key, const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        cert_site_add(site, key, "cannot read %s: %s", path, strerror(errno));
    return file;
}

/* Appends every certificate of `file`; false when one is damaged or memory is short. */
static bool read_all(FILE *file, STACK_OF(X509) * into)
{
    X509 *cert;

    while ((cert = PEM_read_X509(file, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(into, cert) == 0) {
            X509_free(cert);
            return false;
        }
    }
    /* The end of the file shows as the absence of another first line. */
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

STACK_OF(X509) * cert_read_chain(const struct cert_site *site, const char *key, const char *path)
{
    FILE *file = open_file(site, key, path);
    STACK_OF(X509) * certs;
    bool whole;

    if (file == NULL)
        return NULL;
    ERR_clear_error();
    certs = sk_X509_new_null();
    whole = certs != NULL && read_all(file, certs);
    fclose(file);
    if (whole && sk_X509_num(certs) > 0) {
        ERR_clear_error();
        return certs;
    }
    if (whole)
        cert_site_add(site, key, "%s holds no certificate in PEM form", path);
    else
        cert_site_add(site, key, "%s holds a damaged certificate: %s", path, cert_reason());
    ERR_clear_error();
    sk_X509_pop_free(certs, X509_free);
    return NULL;
}

/* A daemon has nobody to ask: notes that it was called and declines. */
static int no_passphrase(char *into, int size, int writing, void *asked)
{
    UNUSED(writing);
    if (size > 0)
        *into = '\0';
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *read_key(const struct cert_site *site, const char *key, const char *path)
{
    FILE *file = open_file(site, key, path);
    bool asked = false;
    EVP_PKEY *pkey;

    if (file == NULL)
        return NULL;
    pkey = PEM_read_PrivateKey(file, NULL, no_passphrase, &asked);
    fclose(file);
    ERR_clear_error();
    if (pkey != NULL)
        return pkey;
    if (asked)
        cert_site_add(site, key, "%s is protected by a passphrase; store the key without", path);
    else
        cert_site_add(site, key, "%s holds no readable private key in PEM form", path);
    return NULL;
}

static bool kind_of(const EVP_PKEY *key, enum cert_kind *out)
{
    for (unsigned kind = 0; kind < CERT_KINDS; kind++) {
        if (EVP_PKEY_get_base_id(key) == kind_id[kind]) {
            *out = (enum cert_kind)kind;
            return true;
        }
    }
    return false;
}

/* A renewal that was written halfway shows here: the new certificate beside the old key. */
static bool belongs(const struct cert_site *site, const struct cert_pair *pair, const char *chain)
{
    bool match = X509_check_private_key(pair->leaf, pair->key) == 1;

    ERR_clear_error();
    if (!match)
        cert_site_add(site, "key", "the key does not belong to the first certificate of %s", chain);
    return match;
}

bool cert_pair_load(const struct cert_site *site, const char *chain, const char *key,
                    struct cert_pair *out)
{
    struct cert_pair pair = {.chain = cert_read_chain(site, "chain", chain),
                             .key = read_key(site, "key", key)};
    bool good = pair.chain != NULL && pair.key != NULL;

    if (good) {
        pair.leaf = sk_X509_shift(pair.chain);
        good = belongs(site, &pair, chain);
    }
    if (good && !kind_of(pair.key, &pair.kind)) {
        cert_site_add(site, "key", "the key must be EC, RSA or Ed25519");
        good = false;
    }
    if (good)
        *out = pair;
    else
        cert_pair_clear(&pair);
    return good;
}

void cert_pair_clear(struct cert_pair *pair)
{
    X509_free(pair->leaf);
    sk_X509_pop_free(pair->chain, X509_free);
    EVP_PKEY_free(pair->key);
    *pair = (struct cert_pair){0};
}
