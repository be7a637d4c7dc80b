/*
 * Keys and certificates made when a test runs, so that none lies in the tree and none expires.
 * Owns its directory under the system's place for temporary files.
 */
#include "testca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "waypost/base/check.h"
#include "waypost/base/str.h"

#define DAY 86400L

static long next_serial = 1;

static EVP_PKEY *make_key(enum testca_key kind)
{
    EVP_PKEY *key = NULL;

    switch (kind) {
    case TESTCA_EC:
        key = EVP_EC_gen("P-256");
        break;
    case TESTCA_RSA:
        key = EVP_RSA_gen(2048);
        break;
    case TESTCA_ED25519:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    }
    ENSURE(key != NULL);
    return key;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    ENSURE(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *make_cert(EVP_PKEY *key, const char *subject, long from, long until)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    ENSURE(X509_set_version(cert, X509_VERSION_3) == 1 && X509_set_pubkey(cert, key) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), next_serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), from);
    X509_gmtime_adj(X509_getm_notAfter(cert), until);
    ENSURE(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1,
                                      -1, 0) == 1);
    return cert;
}

static void sign(X509 *cert, const X509_NAME *issuer, EVP_PKEY *key)
{
    const EVP_MD *digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();

    ENSURE(X509_set_issuer_name(cert, issuer) == 1);
    ENSURE(X509_sign(cert, key, digest) > 0);
}

static FILE *open_for(struct testca *ca, const char *file, const char *suffix, const char *mode)
{
    char name[128];
    FILE *f;

    snprintf(name, sizeof(name), "%s%s", file, suffix);
    f = fopen(testca_path(ca, name), mode);
    ENSURE(f != NULL);
    return f;
}

static void write_cert(struct testca *ca, const char *file, X509 *cert, X509 *next)
{
    FILE *f = open_for(ca, file, ".pem", "we");

    ENSURE(PEM_write_X509(f, cert) == 1);
    ENSURE(next == NULL || PEM_write_X509(f, next) == 1);
    fclose(f);
}

static void write_key(struct testca *ca, const char *file, EVP_PKEY *key)
{
    FILE *f = open_for(ca, file, ".key", "we");

    ENSURE(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(f);
}

static X509 *make_authority(EVP_PKEY *key, const char *subject)
{
    X509 *cert = make_cert(key, subject, -365 * DAY, 365 * DAY);

    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    return cert;
}

void testca_open(struct testca *ca)
{
    const char *base = getenv("TMPDIR");
    char dir[512];

    *ca = (struct testca){0};
    snprintf(dir, sizeof(dir), "%s/waypost-test-XXXXXX", base == NULL ? "/tmp" : base);
    ENSURE(mkdtemp(dir) != NULL);
    ca->dir = strdup(dir);
    ca->key = make_key(TESTCA_EC);
    /* Two authorities must not share a name, or verification fails for the wrong reason. */
    ca->root = make_authority(ca->key, strrchr(dir, '/') + 1);
    sign(ca->root, X509_get_subject_name(ca->root), ca->key);
    write_cert(ca, "ca", ca->root, NULL);
}

void testca_close(struct testca *ca)
{
    for (size_t i = 0; i < ca->path_count; i++) {
        unlink(ca->paths[i]);
        free(ca->paths[i]);
    }
    rmdir(ca->dir);
    free(ca->dir);
    X509_free(ca->root);
    EVP_PKEY_free(ca->key);
    *ca = (struct testca){0};
}

char *testca_path(struct testca *ca, const char *file)
{
    size_t len = strlen(ca->dir) + strlen(file) + 2;
    char *path = malloc(len);

    ENSURE(path != NULL);
    snprintf(path, len, "%s/%s", ca->dir, file);
    for (size_t i = 0; i < ca->path_count; i++) {
        if (strcmp(ca->paths[i], path) == 0) {
            free(path);
            return ca->paths[i];
        }
    }
    ENSURE(ca->path_count < TESTCA_FILES);
    ca->paths[ca->path_count++] = path;
    return path;
}

static void add_names(X509 *cert, const char *names)
{
    struct slice rest = slice_str(names);
    char text[2048];
    struct str list = STR_ON(text);

    while (rest.len > 0) {
        struct slice name = slice_cut(&rest, ' ');
        str_addf(&list, "%sDNS:%.*s", list.len == 0 ? "" : ",", SLICE_ARG(name));
    }
    ENSURE(!list.overflow);
    add_extension(cert, NID_subject_alt_name, text);
}

void testca_issue(struct testca *ca, const struct testca_leaf *leaf)
{
    bool dated = leaf->from != 0 || leaf->until != 0;
    EVP_PKEY *key = make_key(leaf->key), *between_key = NULL;
    X509 *between = NULL;
    X509 *cert = make_cert(key, leaf->subject == NULL ? "test" : leaf->subject,
                           (dated ? leaf->from : -1) * DAY, (dated ? leaf->until : 1) * DAY);

    if (leaf->names != NULL)
        add_names(cert, leaf->names);
    add_extension(cert, NID_ext_key_usage, leaf->client ? "clientAuth" : "serverAuth");
    if (leaf->edit != NULL)
        leaf->edit(cert);
    if (leaf->intermediate) {
        between_key = make_key(TESTCA_EC);
        between = make_authority(between_key, leaf->file);
        sign(between, X509_get_subject_name(ca->root), ca->key);
        sign(cert, X509_get_subject_name(between), between_key);
    } else if (leaf->self_signed) {
        sign(cert, X509_get_subject_name(cert), key);
    } else {
        sign(cert, X509_get_subject_name(ca->root), ca->key);
    }
    write_cert(ca, leaf->file, cert, between);
    write_key(ca, leaf->file, key);
    X509_free(between);
    EVP_PKEY_free(between_key);
    X509_free(cert);
    EVP_PKEY_free(key);
}

char *testca_write(struct testca *ca, const char *file, const void *bytes, size_t len)
{
    FILE *f = open_for(ca, file, "", "we");

    ENSURE(fwrite(bytes, 1, len, f) == len);
    fclose(f);
    return testca_path(ca, file);
}

void testca_pin(struct testca *ca, const char *file, unsigned char out[32])
{
    FILE *f = open_for(ca, file, ".pem", "re");
    X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);
    unsigned char *spki = NULL;
    int len;

    fclose(f);
    ENSURE(cert != NULL);
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    ENSURE(len > 0 && EVP_Digest(spki, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1);
    OPENSSL_free(spki);
    X509_free(cert);
}

char *testca_lock(struct testca *ca, const char *file, const char *to)
{
    FILE *f = open_for(ca, file, ".key", "re");
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    char phrase[] = "open sesame";

    fclose(f);
    ENSURE(key != NULL);
    f = open_for(ca, to, "", "we");
    ENSURE(PEM_write_PKCS8PrivateKey(f, key, EVP_aes_256_cbc(), phrase, (int)strlen(phrase), NULL,
                                     NULL) == 1);
    fclose(f);
    EVP_PKEY_free(key);
    return testca_path(ca, to);
}
