/*
 * The names that a client's certificate gives its holder: a mail address and a common name. Judges
 * no chain; a name that could be read in two ways is no name.
 * RFC 5280 sections 4.2.1.6 (rfc822Name) and 4.1.2.6 (subject).
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "tls/certs.h"
#include "waypost/base/limits.h"

/* A NUL is a control character too: behind one, C and the certificate disagree about the name. */
static char *clean_copy(struct slice text)
{
    if (text.len == 0 || text.len > LIMIT_USER || !slice_is_text(text))
        return NULL;
    return strndup(text.ptr, text.len);
}

/* An IA5String is ASCII; OpenSSL does not insist. */
static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] > 0x7F)
            return false;
    }
    return true;
}

static struct slice string_bytes(const ASN1_STRING *string)
{
    return slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static char *email_of(const X509 *leaf)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    char *email = NULL;
    int i = 0;

    while (i < sk_GENERAL_NAME_num(all) && sk_GENERAL_NAME_value(all, i)->type != GEN_EMAIL)
        i++;
    if (i < sk_GENERAL_NAME_num(all)) {
        struct slice text = string_bytes(sk_GENERAL_NAME_value(all, i)->d.rfc822Name);
        email = is_ascii(text) ? clean_copy(text) : NULL;
    }
    GENERAL_NAMES_free(all);
    return email;
}

static char *common_name_of(const X509 *leaf)
{
    const X509_NAME *subject = X509_get_subject_name(leaf);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    char *name = NULL;
    int len;

    /* Of several, some software takes the first and some the last. */
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return NULL;
    len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0)
        name = clean_copy(slice_of(text, (size_t)len));
    OPENSSL_free(text);
    return name;
}

/* A resumed session brings along a certificate that was good when the first one began. */
struct cert_holder cert_holder_of(const SSL *ssl)
{
    const X509 *leaf = SSL_get0_peer_certificate(ssl);

    if (leaf == NULL || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ||
        SSL_get_verify_result(ssl) != X509_V_OK ||
        X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0)
        return (struct cert_holder){NULL, NULL};
    return (struct cert_holder){email_of(leaf), common_name_of(leaf)};
}

void cert_holder_clear(struct cert_holder *holder)
{
    free(holder->email);
    free(holder->name);
    *holder = (struct cert_holder){NULL, NULL};
}
