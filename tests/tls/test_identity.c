/*
 * What a client's certificate says about its holder, and when it is believed. The client is OpenSSL
 * itself.
 */
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/x509v3.h>

#include "support/tlspair.h"
#include "waypost/base/limits.h"

static struct tlsbed bed;
static struct tlsraw raw;

static void open_bed(void)
{
    tlsbed_open(&bed);
    bed.conf.tls.client_ca = testca_path(&bed.ca, "ca.pem");
    bed.conf.tls.client_auth = CONF_CLIENT_AUTH_REQUEST;
}

static void close_bed(void)
{
    tlsbed_close(&bed);
}

TestSuite(identity, .init = open_bed, .fini = close_bed, .timeout = 60);

/* What `edit` is to put into the next certificate. */
struct names {
    const char *what;
    int cn_type; /* V_ASN1_*; 0: no second CN */
    struct slice cn;
    bool keep_cn; /* beside the "holder" that is there already */
    struct slice uri, email, email_2;
    const char *want_email, *want_name; /* NULL: none */
};

static const struct names *now;

static void add_name(GENERAL_NAMES *all, int type, struct slice text)
{
    GENERAL_NAME *name;
    ASN1_IA5STRING *string;

    if (text.ptr == NULL)
        return;
    name = GENERAL_NAME_new();
    string = ASN1_IA5STRING_new();
    ASN1_STRING_set(string, text.ptr, (int)text.len);
    GENERAL_NAME_set0_value(name, type, string);
    sk_GENERAL_NAME_push(all, name);
}

static void edit(X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();

    if (!now->keep_cn)
        X509_NAME_ENTRY_free(X509_NAME_delete_entry(subject, 0));
    if (now->cn_type != 0)
        cr_assert_eq(X509_NAME_add_entry_by_NID(subject, NID_commonName, now->cn_type,
                                                (const unsigned char *)now->cn.ptr,
                                                (int)now->cn.len, -1, 0),
                     1);
    add_name(all, GEN_URI, now->uri);
    add_name(all, GEN_EMAIL, now->email);
    add_name(all, GEN_EMAIL, now->email_2);
    if (sk_GENERAL_NAME_num(all) > 0)
        cr_assert_eq(X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0), 1);
    GENERAL_NAMES_free(all);
}

static void show(const char *file)
{
    char name[64];

    snprintf(name, sizeof(name), "%s.pem", file);
    cr_assert_eq(
        SSL_CTX_use_certificate_file(raw.ctx, testca_path(&bed.ca, name), SSL_FILETYPE_PEM), 1);
    snprintf(name, sizeof(name), "%s.key", file);
    cr_assert_eq(SSL_CTX_use_PrivateKey_file(raw.ctx, testca_path(&bed.ca, name), SSL_FILETYPE_PEM),
                 1);
}

static void expect_text(const char *got, const char *wanted, const char *what)
{
    cr_expect((got == NULL) == (wanted == NULL) && (got == NULL || strcmp(got, wanted) == 0),
              "%s: '%s'", what, got == NULL ? "(none)" : got);
}

static void expect_holder(const char *email, const char *name, const char *what)
{
    expect_text(tls_engine_cert_email(raw.end.engine), email, what);
    expect_text(tls_engine_cert_name(raw.end.engine), name, what);
}

static void meet(int version)
{
    SSL_CTX_set_max_proto_version(raw.ctx, version);
    tlsraw_meet(&raw, tls_engine_server(bed.set), LIMIT_BUF);
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

Test(identity, names_of_a_verified_certificate)
{
    const struct names rows[] = {
        {.what = "nothing but a CN", .keep_cn = true, .want_name = "holder"},
        {.what = "no name at all"},
        {.what = "an address",
         .keep_cn = true,
         .email = SLICE("alice@example.org"),
         .want_email = "alice@example.org",
         .want_name = "holder"},
        {.what = "the first of two, behind another kind of name",
         .uri = SLICE("imap://example.org/"),
         .email = SLICE("first@example.org"),
         .email_2 = SLICE("second@example.org"),
         .want_email = "first@example.org"},
        {.what = "a NUL in the address", .email = SLICE("root@example.org\0.evil.example")},
        {.what = "and a good second one",
         .email = SLICE("root\0@example.org"),
         .email_2 = SLICE("second@example.org")},
        {.what = "a line end in the address", .email = SLICE("alice@example.org\r\n* BYE")},
        {.what = "eight bits in an IA5String", .email = SLICE("al\xc3\xafs@example.org")},
        {.what = "an empty address", .email = {"", 0}},
        {.what = "a long address", .email = SLICE(X64 X64 X64 X64)},
        {.what = "two common names",
         .keep_cn = true,
         .cn_type = V_ASN1_UTF8STRING,
         .cn = SLICE("other")},
        {.what = "a CN in UTF-8",
         .cn_type = V_ASN1_UTF8STRING,
         .cn = SLICE("J\xc3\xbcrgen"),
         .want_name = "J\xc3\xbcrgen"},
        {.what = "a CN in another encoding",
         .cn_type = V_ASN1_BMPSTRING,
         .cn = SLICE("\0J\0\xfc\0r\0g"),
         .want_name = "J\xc3\xbcrg"},
        {.what = "a NUL in the CN", .cn_type = V_ASN1_UTF8STRING, .cn = SLICE("root\0.evil")},
        {.what = "a NUL in another encoding",
         .cn_type = V_ASN1_BMPSTRING,
         .cn = SLICE("\0r\0\0\0x")},
        {.what = "a control character in the CN",
         .cn_type = V_ASN1_UTF8STRING,
         .cn = SLICE("al\x1b[1mice")},
        {.what = "a C1 control", .cn_type = V_ASN1_UTF8STRING, .cn = SLICE("al\xc2\x85ice")},
    };

    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        now = &rows[i];
        testca_issue(&bed.ca,
                     &(struct testca_leaf){
                         .file = "who", .subject = "holder", .client = true, .edit = edit});
        tlsraw_client(&raw, &bed);
        show("who");
        meet(i % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
        cr_expect(tlsraw_shake(&raw), "%s", rows[i].what);
        expect_holder(rows[i].want_email, rows[i].want_name, rows[i].what);
        tlsraw_close(&raw);
    }
}

Test(identity, nobody_is_named_without_verification)
{
    static const struct names alice = {.email = {"alice@example.org", 17}, .keep_cn = true};
    static const struct {
        const char *what;
        enum conf_client_auth auth;
        const char *file;
        bool good;
    } rows[] = {
        {"not asked for", CONF_CLIENT_AUTH_NONE, "good", true},
        {"none shown", CONF_CLIENT_AUTH_REQUEST, NULL, true},
        {"signed by itself", CONF_CLIENT_AUTH_REQUEST, "foreign", false},
        {"expired", CONF_CLIENT_AUTH_REQUEST, "old", false},
    };

    now = &alice;
    testca_issue(&bed.ca, &(struct testca_leaf){.file = "good", .client = true, .edit = edit});
    testca_issue(&bed.ca,
                 &(struct testca_leaf){
                     .file = "foreign", .client = true, .edit = edit, .self_signed = true});
    testca_issue(&bed.ca,
                 &(struct testca_leaf){
                     .file = "old", .client = true, .edit = edit, .from = -9, .until = -2});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bed.conf.tls.client_auth = rows[i].auth;
        cr_assert(tlsbed_load(&bed));
        tlsraw_client(&raw, &bed);
        if (rows[i].file != NULL)
            show(rows[i].file);
        meet(TLS1_3_VERSION);
        cr_expect_eq(tlsraw_shake(&raw), rows[i].good, "%s", rows[i].what);
        expect_holder(NULL, NULL, rows[i].what);
        tlsraw_close(&raw);
    }
}

static SSL_SESSION *ticket;

static int keep(SSL *ssl, SSL_SESSION *fresh)
{
    UNUSED(ssl);
    SSL_SESSION_free(ticket);
    ticket = fresh;
    return 1;
}

Test(identity, a_resumed_session_names_the_same_holder)
{
    static const struct names alice = {
        .email = {"alice@example.org", 17}, .keep_cn = true, .want_email = "alice@example.org"};
    char byte;

    now = &alice;
    testca_issue(&bed.ca, &(struct testca_leaf){
                              .file = "good", .subject = "alice", .client = true, .edit = edit});
    cr_assert(tlsbed_load(&bed));
    for (int i = 0; i < 2; i++) {
        tlsraw_client(&raw, &bed);
        show("good");
        SSL_CTX_set_session_cache_mode(raw.ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(raw.ctx, keep);
        meet(TLS1_3_VERSION);
        if (ticket != NULL)
            cr_assert_eq(SSL_set_session(raw.ssl, ticket), 1);
        cr_assert(tlsraw_shake(&raw));
        cr_expect_eq(tlsraw_read(&raw, &byte, 1), -1);
        cr_expect_eq(tls_engine_resumed(raw.end.engine), i == 1);
        expect_holder("alice@example.org", "alice", i == 0 ? "first" : "resumed");
        SSL_shutdown(raw.ssl); /* or else OpenSSL would not offer the session again */
        tlsraw_close(&raw);
    }
    SSL_SESSION_free(ticket);
}

Test(identity, the_protocol_agreed_on)
{
    cr_assert(tlsbed_load(&bed));
    for (int i = 0; i < 2; i++) {
        tlsraw_client(&raw, &bed);
        if (i == 1)
            SSL_CTX_set_alpn_protos(raw.ctx, (const unsigned char *)"\2h2\4imap", 8);
        meet(TLS1_3_VERSION);
        cr_expect(tlsraw_shake(&raw));
        expect_text(tls_engine_alpn(raw.end.engine), i == 0 ? NULL : "imap", "alpn");
        tlsraw_close(&raw);
    }
}
