/*
 * The client side's rules: versions, ciphers, protocols, names and the certificates they select,
 * client certificates. The client is OpenSSL itself, so that it may ask for anything.
 */
#include <stdlib.h>
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

TestSuite(server, .init = open_bed, .fini = close_bed, .timeout = 60);

static void meet(void)
{
    tlsraw_meet(&raw, tls_engine_server(bed.set), LIMIT_BUF);
}

static void expect_failure(const char *what, const char *detail)
{
    cr_expect_eq(tls_engine_state(raw.end.engine), TLS_FAILED, "%s", what);
    cr_expect_eq(tls_engine_failure(raw.end.engine), TLS_PROTOCOL, "%s", what);
    cr_expect_str_eq(tls_engine_detail(raw.end.engine), detail, "%s: '%s'", what,
                     tls_engine_detail(raw.end.engine));
}

Test(server, t14_alpn)
{
    static const struct {
        const char *what, *offer; /* NULL: the extension is not sent */
        const char *chosen;       /* NULL: refused */
    } rows[] = {
        {"nothing offered", NULL, ""},
        {"imap", "\4imap", "imap"},
        {"imap among others", "\2h2\4imap\10http/1.1", "imap"},
        {"web only", "\2h2\10http/1.1", NULL},
        {"longer name", "\5imaps", NULL},
        {"shorter name", "\3ima", NULL},
        {"other case", "\4IMAP", NULL},
        {"hidden in another", "\6imimap", NULL},
    };

    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const unsigned char *chosen = NULL;
        unsigned len = 0;

        tlsraw_client(&raw, &bed);
        if (rows[i].offer != NULL)
            SSL_CTX_set_alpn_protos(raw.ctx, (const unsigned char *)rows[i].offer,
                                    (unsigned)strlen(rows[i].offer));
        meet();
        cr_expect_eq(tlsraw_shake(&raw), rows[i].chosen != NULL, "%s", rows[i].what);
        SSL_get0_alpn_selected(raw.ssl, &chosen, &len);
        if (rows[i].chosen != NULL) {
            cr_expect(slice_eq(slice_of(chosen, len), slice_str(rows[i].chosen)), "%s",
                      rows[i].what);
        } else {
            expect_failure(rows[i].what, "no application protocol");
            cr_expect_eq(tlsraw_alert(&raw), SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, "%s",
                         rows[i].what);
        }
        tlsraw_close(&raw);
    }
}

Test(server, t16_versions)
{
    static const struct {
        enum conf_tls_version least;
        int version;
        bool good;
    } rows[] = {
        {CONF_TLS_1_2, TLS1_VERSION, false},   {CONF_TLS_1_2, TLS1_1_VERSION, false},
        {CONF_TLS_1_2, TLS1_2_VERSION, true},  {CONF_TLS_1_2, TLS1_3_VERSION, true},
        {CONF_TLS_1_3, TLS1_2_VERSION, false}, {CONF_TLS_1_3, TLS1_3_VERSION, true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bed.conf.tls.min_version = rows[i].least;
        cr_assert(tlsbed_load(&bed));
        tlsraw_client(&raw, &bed);
        SSL_CTX_set_security_level(raw.ctx, 0);
        SSL_CTX_set_min_proto_version(raw.ctx, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(raw.ctx, rows[i].version);
        meet();
        cr_expect_eq(tlsraw_shake(&raw), rows[i].good, "row %zu", i);
        if (!rows[i].good) {
            expect_failure("version", "unsupported protocol");
            cr_expect_eq(tlsraw_alert(&raw), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "row %zu", i);
        }
        tlsraw_close(&raw);
    }
}

Test(server, t16_ciphers_of_tls_1_2)
{
    static const struct {
        const char *ours, *theirs, *chosen;
    } rows[] = {
        {NULL, "ALL", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {NULL, "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA", NULL},
        {NULL, "AES128-GCM-SHA256:AES256-SHA", NULL},
        /* Who puts ChaCha20 first has a reason: no hardware for AES. */
        {NULL, "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
         "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", "ALL", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char list[64];

        snprintf(list, sizeof(list), "%s", rows[i].ours == NULL ? "" : rows[i].ours);
        bed.conf.tls.ciphers = rows[i].ours == NULL ? NULL : list;
        cr_assert(tlsbed_load(&bed));
        tlsraw_client(&raw, &bed);
        SSL_CTX_set_max_proto_version(raw.ctx, TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(raw.ctx, rows[i].theirs);
        meet();
        cr_expect_eq(tlsraw_shake(&raw), rows[i].chosen != NULL, "row %zu", i);
        if (rows[i].chosen != NULL)
            cr_expect_str_eq(tls_engine_cipher(raw.end.engine), rows[i].chosen, "row %zu", i);
        else
            expect_failure("cipher", "no shared cipher");
        tlsraw_close(&raw);
    }
}

Test(server, the_key_exchange_is_x25519_where_the_client_can)
{
    static const struct {
        const char *groups;
        int version, chosen;
    } rows[] = {
        {"P-256:X25519", TLS1_2_VERSION, NID_X25519},
        {"X25519:P-256", TLS1_3_VERSION, NID_X25519},
        /* A key share that is there already saves a round trip. */
        {"P-256:X25519", TLS1_3_VERSION, NID_X9_62_prime256v1},
        {"P-521:P-384:P-256", TLS1_3_VERSION, NID_X9_62_prime256v1},
    };

    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tlsraw_client(&raw, &bed);
        SSL_CTX_set1_groups_list(raw.ctx, rows[i].groups);
        SSL_CTX_set_max_proto_version(raw.ctx, rows[i].version);
        meet();
        cr_expect(tlsraw_shake(&raw));
        cr_expect_eq(SSL_get_negotiated_group(raw.ssl), rows[i].chosen, "row %zu", i);
        tlsraw_close(&raw);
    }
}

Test(server, t12_renegotiation_is_refused)
{
    char byte;

    cr_assert(tlsbed_load(&bed));
    tlsraw_client(&raw, &bed);
    SSL_CTX_set_max_proto_version(raw.ctx, TLS1_2_VERSION);
    meet();
    cr_assert(tlsraw_shake(&raw));
    cr_assert_eq(SSL_renegotiate(raw.ssl), 1);
    cr_expect_eq(SSL_do_handshake(raw.ssl), -1);
    cr_expect_eq(tlsraw_read(&raw, &byte, 1), -1);
    cr_expect_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    cr_expect_eq(tls_engine_state(raw.end.engine), TLS_OPEN, "we do not end it");
    tlsraw_close(&raw);
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

Test(server, t15_the_name_selects_the_certificate)
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

Test(server, t15_both_kinds_offered_the_cheaper_one_wins)
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
Test(server, the_whole_chain_is_sent)
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

Test(server, t15_unknown_names_may_be_refused)
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
            expect_failure(rows[i].host, "unknown server name");
            cr_expect_eq(tlsraw_alert(&raw), SSL_R_TLSV1_UNRECOGNIZED_NAME, "row %zu", i);
        }
        tlsraw_close(&raw);
    }
}

Test(server, t15_the_name_is_remembered_if_it_can_be_one)
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

Test(server, client_certificates)
{
    static const struct {
        const char *what;
        enum conf_client_auth auth;
        const char *file;
        bool good;
        enum tls_failure failure;
        const char *detail;
    } rows[] = {
        {"not asked", CONF_CLIENT_AUTH_NONE, "foreign", true, TLS_FINE, ""},
        {"asked, none", CONF_CLIENT_AUTH_REQUEST, NULL, true, TLS_FINE, ""},
        {"asked, good", CONF_CLIENT_AUTH_REQUEST, "good", true, TLS_FINE, ""},
        {"asked, foreign", CONF_CLIENT_AUTH_REQUEST, "foreign", false, TLS_VERIFY,
         "client certificate: self-signed certificate"},
        {"required, none", CONF_CLIENT_AUTH_REQUIRE, NULL, false, TLS_PROTOCOL,
         "peer did not return a certificate"},
        {"required, good", CONF_CLIENT_AUTH_REQUIRE, "good", true, TLS_FINE, ""},
        {"required, expired", CONF_CLIENT_AUTH_REQUIRE, "old", false, TLS_VERIFY,
         "client certificate: certificate has expired"},
        {"required, for servers", CONF_CLIENT_AUTH_REQUIRE, "server", false, TLS_VERIFY,
         "client certificate: unsuitable certificate purpose"},
    };
    static const int version[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    testca_issue(&bed.ca, &(struct testca_leaf){.file = "good", .client = true});
    testca_issue(&bed.ca,
                 &(struct testca_leaf){.file = "old", .client = true, .from = -9, .until = -2});
    testca_issue(&bed.ca,
                 &(struct testca_leaf){.file = "foreign", .client = true, .self_signed = true});
    bed.conf.tls.client_ca = testca_path(&bed.ca, "ca.pem");
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        size_t row = i / 2;

        bed.conf.tls.client_auth = rows[row].auth;
        cr_assert(tlsbed_load(&bed));
        tlsraw_client(&raw, &bed);
        SSL_CTX_set_max_proto_version(raw.ctx, version[i % 2]);
        if (rows[row].file != NULL)
            show(rows[row].file);
        meet();
        cr_expect_eq(tlsraw_shake(&raw), rows[row].good, "%s", rows[row].what);
        cr_expect_eq(tls_engine_failure(raw.end.engine), rows[row].failure, "%s", rows[row].what);
        cr_expect_str_eq(tls_engine_detail(raw.end.engine), rows[row].detail, "%s: '%s'",
                         rows[row].what, tls_engine_detail(raw.end.engine));
        tlsraw_close(&raw);
    }
}
