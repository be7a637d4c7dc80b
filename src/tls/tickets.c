/*
 * Keys that seal session tickets. Owns the current key and its predecessor behind a mutex, because
 * all workers share them; never lends a key out, wipes every copy. Keys from a file stay as they
 * are, random ones are replaced by age. RFC 5077 section 4, RFC 8446 section 4.6.1.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "tls/set.h"

struct ticket_key {
    unsigned char name[16], hmac[32], aes[32];
};

static_assert(sizeof(struct ticket_key) == 80, "a key is laid out as in the file");

struct tls_tickets {
    pthread_mutex_t lock;
    struct ticket_key current, previous;
    bool has_previous, from_file;
    uint64_t born;      /* of `current`, seconds of the monotonic clock */
    EVP_CIPHER *cipher; /* owned; fetched once, since a look-up takes a lock of the library */
};

static uint64_t now_seconds(void)
{
    struct timespec now;

    return clock_gettime(CLOCK_MONOTONIC, &now) == 0 ? (uint64_t)now.tv_sec : 0;
}

static bool random_key(struct ticket_key *out)
{
    struct ticket_key key;
    bool good = RAND_priv_bytes((unsigned char *)&key, sizeof(key)) == 1;

    if (good)
        *out = key;
    OPENSSL_cleanse(&key, sizeof(key));
    return good;
}

/* One key, or the current and the previous one. */
static bool read_keys(struct tls_tickets *t, const char *path, struct conf_errors *errors)
{
    struct ticket_key keys[3];
    FILE *file = fopen(path, "re");
    size_t len;

    if (file == NULL) {
        conf_errors_add(errors, path, 0, "", "cannot read ticket keys: %s", strerror(errno));
        return false;
    }
    setvbuf(file, NULL, _IONBF, 0);
    len = fread(keys, 1, sizeof(keys), file);
    fclose(file);
    t->current = keys[0];
    t->previous = keys[1];
    OPENSSL_cleanse(keys, sizeof(keys));
    t->has_previous = len == 2 * sizeof(keys[0]);
    t->from_file = true;
    if (len == sizeof(keys[0]) || t->has_previous)
        return true;
    conf_errors_add(errors, path, 0, "",
                    "ticket keys must be 80 random bytes, or 160 to keep the previous key as well");
    return false;
}

struct tls_tickets *tls_tickets_new(const char *file, struct conf_errors *errors)
{
    struct tls_tickets *t = calloc(1, sizeof(*t));
    bool good;

    if (t == NULL || pthread_mutex_init(&t->lock, NULL) != 0) {
        free(t);
        conf_errors_add(errors, "", 0, "", "out of memory for ticket keys");
        return NULL;
    }
    t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    t->born = now_seconds();
    if (file != NULL) {
        good = read_keys(t, file, errors);
    } else {
        good = random_key(&t->current);
        if (!good)
            conf_errors_add(errors, "", 0, "", "no random bytes for ticket keys");
    }
    if (good && t->cipher == NULL) {
        good = false;
        conf_errors_add(errors, "", 0, "", "AES-256-CBC is not available for ticket keys");
    }
    if (!good)
        tls_tickets_free(&t);
    return t;
}

void tls_tickets_free(struct tls_tickets **tickets)
{
    struct tls_tickets *t = *tickets;

    if (t == NULL)
        return;
    EVP_CIPHER_free(t->cipher);
    pthread_mutex_destroy(&t->lock);
    OPENSSL_cleanse(t, sizeof(*t));
    free(t);
    *tickets = NULL;
}

/* What the current key sealed is opened for as long again. */
static void renew(struct tls_tickets *t, const struct ticket_key *fresh, uint64_t now)
{
    t->previous = t->current;
    t->has_previous = true;
    t->current = *fresh;
    t->born = now;
}

/* Call with the lock held. */
static void rotate(struct tls_tickets *t, uint64_t now)
{
    /* After a long silence all that the old key sealed has expired. */
    bool useful = now < t->born + 2 * TLS_TICKET_PERIOD;
    struct ticket_key fresh;

    if (t->from_file || now < t->born + TLS_TICKET_PERIOD || !random_key(&fresh))
        return;
    renew(t, &fresh, now);
    t->has_previous = useful;
    OPENSSL_cleanse(&fresh, sizeof(fresh));
}

void tls_tickets_follow(struct tls_tickets *t, const struct tls_tickets *from)
{
    struct ticket_key fresh;

    pthread_mutex_lock(&t->lock);
    if (from != NULL) {
        t->current = from->current;
        t->previous = from->previous;
        t->has_previous = from->has_previous;
        t->from_file = true;
    } else if (t->from_file && random_key(&fresh)) {
        renew(t, &fresh, now_seconds());
        t->from_file = false;
        OPENSSL_cleanse(&fresh, sizeof(fresh));
    }
    pthread_mutex_unlock(&t->lock);
}

void tls_tickets_rotate(struct tls_tickets *t, uint64_t now)
{
    pthread_mutex_lock(&t->lock);
    rotate(t, now);
    pthread_mutex_unlock(&t->lock);
}

enum found { FOUND_NONE, FOUND_CURRENT, FOUND_PREVIOUS };

/* Copies the current key, or the one called `name`. */
static enum found find_key(struct tls_tickets *t, const unsigned char *name, struct ticket_key *out)
{
    enum found found = FOUND_NONE;

    pthread_mutex_lock(&t->lock);
    rotate(t, now_seconds());
    if (name == NULL || memcmp(name, t->current.name, sizeof(t->current.name)) == 0) {
        *out = t->current;
        found = FOUND_CURRENT;
    } else if (t->has_previous && memcmp(name, t->previous.name, sizeof(t->previous.name)) == 0) {
        *out = t->previous;
        found = FOUND_PREVIOUS;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

static bool set_up(const struct tls_tickets *t, const struct ticket_key *key,
                   const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->hmac,
                                          sizeof(key->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_CipherInit_ex2(cipher, t->cipher, key->aes, iv, sealing, NULL) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's question: -1 failure, 0 no such key, 1 go on, 2 go on and issue a new ticket. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct ticket_key key;
    enum found found = find_key(t, sealing ? NULL : name, &key);
    bool good;

    if (found == FOUND_NONE)
        return 0;
    if (sealing) {
        memcpy(name, key.name, sizeof(key.name));
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->cipher)) != 1)
            found = FOUND_NONE;
    }
    good = found != FOUND_NONE && set_up(t, &key, iv, cipher, mac, sealing);
    OPENSSL_cleanse(&key, sizeof(key));
    if (!good)
        return -1;
    if (sealing)
        return 1;
    /* A TLS 1.3 ticket is better used once, so that two connections cannot be linked (RFC 8446
     * appendix C.4): each resumption brings the next one. */
    return found == FOUND_PREVIOUS || SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;
}

bool tls_tickets_attach(struct tls_tickets *tickets, SSL_CTX *ctx)
{
    return SSL_CTX_set_app_data(ctx, tickets) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) == 1;
}
