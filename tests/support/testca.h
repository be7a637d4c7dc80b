/*
 * A certificate authority for the length of one test: makes keys and certificates in a directory of
 * its own, which it removes. Any failure ends the test program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

enum testca_key { TESTCA_EC, TESTCA_RSA, TESTCA_ED25519 };

#define TESTCA_FILES 64u

struct testca {
    char *dir;                 /* owned */
    EVP_PKEY *key;             /* owned */
    X509 *root;                /* owned; also in "ca.pem" */
    char *paths[TESTCA_FILES]; /* owned; handed out by testca_path */
    size_t path_count;
};

struct testca_leaf {
    const char *file;    /* writes FILE.pem and FILE.key */
    const char *names;   /* DNS names, separated by spaces; NULL: no subjectAltName at all */
    const char *subject; /* common name; NULL: "test" */
    enum testca_key key;
    long from, until; /* days from now; both 0: valid for a day either way */
    bool self_signed;
    bool intermediate;        /* certified by one of these, which follows it in the file */
    bool client;              /* for client authentication instead of servers */
    void (*edit)(X509 *cert); /* changes the certificate before it is signed; NULL: as it is */
};

void testca_open(struct testca *ca);
void testca_close(struct testca *ca);
/* DIR/file, valid until testca_close. */
char *testca_path(struct testca *ca, const char *file);
void testca_issue(struct testca *ca, const struct testca_leaf *leaf);
/* Writes `len` bytes as a file and returns its path. */
char *testca_write(struct testca *ca, const char *file, const void *bytes, size_t len);
/* SHA-256 of the public key of FILE.pem. */
void testca_pin(struct testca *ca, const char *file, unsigned char out[32]);
/* Writes an encrypted copy of the key of FILE.key as `to`. */
char *testca_lock(struct testca *ca, const char *file, const char *to);
