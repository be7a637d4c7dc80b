/*
 * Server names and the certificates they select: subjectAltName, wildcards, two kinds of key for
 * one name, names nobody knows. The client is OpenSSL itself, so that it may ask for anything.
 */
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "support/tlspair.h"
#include "waypost/base/limits.h"

static struct tlsbed bed;
static struct tlsraw raw;

static void open_bed(void)
{
    tlsbed_open(&bed);
}

static void close_bed(void)
{
    tlsbed_close(&bed);
}

TestSuite(names, .init = open_bed, .fini = close_bed, .timeout = 60);

static void meet(void)
{
    tlsraw_meet(&raw, tls_engine_server(bed.set), LIMIT_BUF);
}

/* One certificate of each kind for several names. */
static void issue_many(void)
{
    static const struct testca_leaf leaves[] = {
        {.file = "first-rsa",
         .names = "imap.example.com",
         .subject = "first-rsa",
         .key = TESTCA_RSA},
        {.file = "wild", .names = "*.example.net mail.other.org", .subject = "wild"},
        {.file = "other-rsa", .names = "*.other.org", .subject = "other-rsa", .key = TESTCA_RSA},
    };

    for (size_t i = 0; i < COUNT_OF(leaves); i++) {
        testca_issue(&bed.ca, &leaves[i]);
        tlsbed_present(&bed, leaves[i].file);
    }
}

static void subject_of_peer(char *out, int size)
{
    X509 *cert = SSL_get0_peer_certificate(raw.ssl);

    out[0] = '\0';
    if (cert != NULL)
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out, size);
}

static void ask(const char *host, bool rsa, int version)
{
    tlsraw_client(&raw, &bed);
    SSL_CTX_set1_sigalgs_list(raw.ctx, rsa ? "RSA-PSS+SHA256:RSA+SHA256" : "ECDSA+SHA256");
    SSL_CTX_set_max_proto_version(raw.ctx, version);
    /* The CA signs with ECDSA; what counts here is what the server picks. */
    SSL_CTX_set_verify(raw.ctx, SSL_VERIFY_NONE, NULL);
    meet();
    if (host != NULL)
        SSL_set_tlsext_host_name(raw.ssl, host);
}

Test(names, t15_the_name_selects_the_certificate)
{
    static const struct {
        const char *host, *ec, *rsa;
    } rows[] = {
        {NULL, "test", "first-rsa"},
        {"imap.example.com", "test", "first-rsa"},
        {"IMAP.example.COM", "test", "first-rsa"},
        {"a.example.net", "wild", NULL},
        {"A.EXAMPLE.NET", "wild", NULL},
        {"a.b.example.net", "test", "first-rsa"},
        {"example.net", "test", "first-rsa"},
        {".example.net", "test", "first-rsa"},
        {"*.example.net", "test", "first-rsa"},
        {"mail.other.org", "wild", "other-rsa"}, /* its own, and that of the wildcard */
        {"pop.other.org", NULL, "other-rsa"},
        {"nobody.invalid", "test", "first-rsa"},
    };
    static const int version[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    issue_many();
    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(rows) * 4; i++) {
        const char *host = rows[i / 4].host;
        const char *want = i % 2 == 1 ? rows[i / 4].rsa : rows[i / 4].ec;
        char got[64];

        ask(host, i % 2 == 1, version[i / 2 % 2]);
        cr_expect_eq(tlsraw_shake(&raw), want != NULL, "%s, case %zu", host, i % 4);
        if (want != NULL) {
            subject_of_peer(got, sizeof(got));
            cr_expect_str_eq(got, want, "%s, case %zu: %s", host, i % 4, got);
            cr_expect_eq(SSL_get_verify_result(raw.ssl), X509_V_OK);
        }
        tlsraw_close(&raw);
    }
}

Test(names, t15_both_kinds_offered_the_cheaper_one_wins)
{
    char got[64];

    issue_many();
    cr_assert(tlsbed_load(&bed));
    tlsraw_client(&raw, &bed);
    SSL_CTX_set1_sigalgs_list(raw.ctx, "ECDSA+SHA256:RSA-PSS+SHA256");
    meet();
    SSL_set_tlsext_host_name(raw.ssl, "mail.other.org");
    cr_expect(tlsraw_shake(&raw));
    subject_of_peer(got, sizeof(got));
    cr_expect_str_eq(got, "wild");
    tlsraw_close(&raw);
}

/* A client knows the root only: the intermediate must come along, for whichever name. */
Test(names, the_whole_chain_is_sent)
{
    static const char *const hosts[] = {"imap.example.com", "mail.example.org"};

    testca_issue(&bed.ca, &(struct testca_leaf){
                              .file = "server", .names = "imap.example.com", .intermediate = true});
    testca_issue(&bed.ca, &(struct testca_leaf){
                              .file = "more", .names = "mail.example.org", .intermediate = true});
    tlsbed_present(&bed, "more");
    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        tlsraw_client(&raw, &bed);
        meet();
        SSL_set_tlsext_host_name(raw.ssl, hosts[i]);
        SSL_set1_host(raw.ssl, hosts[i]);
        cr_expect(tlsraw_shake(&raw), "%s", hosts[i]);
        cr_expect_eq(SSL_get_verify_result(raw.ssl), X509_V_OK);
        tlsraw_close(&raw);
    }
}

Test(names, t15_unknown_names_may_be_refused)
{
    static const struct {
        const char *host;
        bool good;
    } rows[] = {
        {NULL, true},           {"imap.example.com", true}, {"x.example.net", true},
        {"example.net", false}, {"nobody.invalid", false},  {"192.0.2.1", false},
    };

    testca_issue(&bed.ca, &(struct testca_leaf){.file = "wild", .names = "*.example.net"});
    tlsbed_present(&bed, "wild");
    bed.conf.tls.refuse_unknown_sni = true;
    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ask(rows[i].host, false, TLS1_3_VERSION);
        cr_expect_eq(tlsraw_shake(&raw), rows[i].good, "row %zu", i);
        if (!rows[i].good) {
            cr_expect_eq(tls_engine_state(raw.end.engine), TLS_FAILED, "row %zu", i);
            cr_expect_str_eq(tls_engine_detail(raw.end.engine), "unknown server name");
            cr_expect_eq(tlsraw_alert(&raw), SSL_R_TLSV1_UNRECOGNIZED_NAME, "row %zu", i);
        }
        tlsraw_close(&raw);
    }
}

Test(names, t15_the_name_is_remembered_if_it_can_be_one)
{
    static const struct {
        const char *sent, *kept;
    } rows[] = {
        {NULL, ""},
        {"imap.example.com", "imap.example.com"},
        {"nobody.invalid", "nobody.invalid"},
        {"two words", ""},
        {"tab\there", ""},
        {"quote\"d", ""},
        {"\xc3\xa9.example", ""},
    };
    char longest[256];

    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ask(rows[i].sent, false, TLS1_3_VERSION);
        cr_expect(tlsraw_shake(&raw), "row %zu", i);
        cr_expect_str_eq(tls_engine_sni(raw.end.engine), rows[i].kept, "row %zu", i);
        tlsraw_close(&raw);
    }
    memset(longest, 'a', sizeof(longest));
    for (size_t len = 252; len < 256; len++) {
        longest[len] = '\0';
        ask(longest, false, TLS1_3_VERSION);
        cr_expect(tlsraw_shake(&raw));
        cr_expect_eq(strlen(tls_engine_sni(raw.end.engine)), len <= LIMIT_HOST ? len : 0);
        tlsraw_close(&raw);
        longest[len] = 'a';
    }
}
