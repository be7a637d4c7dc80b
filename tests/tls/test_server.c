/*
 * The client side's rules: versions, ciphers, protocols, client certificates. The client is OpenSSL
 * itself, so that it may ask for anything.
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
