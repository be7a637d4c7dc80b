/*
 * What a backend must prove before it is given a password: chain, name, pins; and that the proof
 * cannot be skipped. The backend is our own server engine or OpenSSL itself.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "support/tlspair.h"
#include "waypost/base/limits.h"

static struct tlsbed bed;

static void open_bed(void)
{
    tlsbed_open(&bed);
}

static void close_bed(void)
{
    tlsbed_close(&bed);
}

TestSuite(backend, .init = open_bed, .fini = close_bed, .timeout = 60);

/* The server presents FILE only. */
static void serve(const char *file)
{
    bed.conf.tls.certificate_count = 0;
    tlsbed_present(&bed, file);
    cr_assert(tlsbed_load(&bed));
}

static void expect_refusal(const char *what, const char *detail)
{
    struct tlspair pair;

    tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
    cr_assert(buf_append(&pair.client.out, SLICE("a1 LOGIN alice secret\r\n")));
    cr_expect_not(tlspair_shake(&pair), "%s", what);
    cr_expect_eq(tls_engine_state(pair.client.engine), TLS_FAILED, "%s", what);
    cr_expect_eq(tls_engine_failure(pair.client.engine), TLS_VERIFY, "%s", what);
    cr_expect_str_eq(tls_engine_detail(pair.client.engine), detail, "%s: '%s'", what,
                     tls_engine_detail(pair.client.engine));
    cr_expect_eq(tls_engine_state(pair.server.engine), TLS_FAILED, "%s: the alert arrives", what);
    cr_expect_eq(buf_len(&pair.client.out), 23, "%s: not a byte was sent", what);
    cr_expect(buf_empty(&pair.server.in), "%s", what);
    tlspair_close(&pair);
}

static void expect_welcome(const char *what)
{
    struct tlspair pair;

    tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
    cr_expect(tlspair_shake(&pair), "%s: %s", what, tls_engine_detail(pair.client.engine));
    tlspair_close(&pair);
}

Test(backend, t09_the_name_must_be_in_the_subject_alternative_names)
{
    static const struct {
        const char *what, *names, *subject;
        bool good;
    } rows[] = {
        {"exact", "imap.example.com", NULL, true},
        {"other case", "IMAP.Example.COM", NULL, true},
        {"one of several", "mail.example.com imap.example.com", NULL, true},
        {"wildcard for the first label", "*.example.com", NULL, true},
        {"another name", "imap.example.org", NULL, false},
        {"a name below", "a.imap.example.com", NULL, false},
        {"the domain alone", "example.com", NULL, false},
        {"partial wildcard", "im*.example.com", NULL, false},
        {"wildcard for two labels", "*.com", NULL, false},
        {"wildcard in the middle", "imap.*.com", NULL, false},
        {"common name beside other names", "mail.example.com", "imap.example.com", false},
        {"common name alone", NULL, "imap.example.com", false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        testca_issue(&bed.ca, &(struct testca_leaf){.file = "row",
                                                    .names = rows[i].names,
                                                    .subject = rows[i].subject});
        serve("row");
        if (rows[i].good)
            expect_welcome(rows[i].what);
        else
            expect_refusal(rows[i].what, "hostname mismatch, wanted imap.example.com");
    }
}

Test(backend, t09_the_configured_name_counts_not_the_host)
{
    static char name[] = "backend-7.internal.example", host[] = "192.0.2.7";

    testca_issue(&bed.ca, &(struct testca_leaf){.file = "row", .names = name});
    bed.backends[0].host = host;
    bed.backends[0].verify_name = name;
    serve("row");
    expect_welcome("verify.name");
    serve("server");
    expect_refusal("another's certificate", "hostname mismatch, wanted backend-7.internal.example");
}

Test(backend, validity_and_chain)
{
    static const struct {
        struct testca_leaf leaf;
        const char *detail;
    } rows[] = {
        {{.from = -10, .until = -1}, "certificate has expired, wanted imap.example.com"},
        {{.from = 1, .until = 10}, "certificate is not yet valid, wanted imap.example.com"},
        {{.self_signed = true}, "self-signed certificate, wanted imap.example.com"},
        {{.client = true}, "unsuitable certificate purpose, wanted imap.example.com"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct testca_leaf leaf = rows[i].leaf;
        leaf.file = "row";
        leaf.names = "imap.example.com";
        testca_issue(&bed.ca, &leaf);
        serve("row");
        expect_refusal(rows[i].detail, rows[i].detail);
    }
}

Test(backend, an_unknown_authority_is_not_believed)
{
    struct testca other;

    testca_open(&other);
    bed.backends[0].verify_ca = testca_path(&other, "ca.pem");
    serve("server");
    expect_refusal("other CA", "unable to get local issuer certificate, wanted imap.example.com");
    bed.backends[0].verify_ca = NULL;
    serve("server");
    expect_refusal("the system's store",
                   "unable to get local issuer certificate, wanted imap.example.com");
    testca_close(&other);
}

Test(backend, backends_keep_their_authorities_apart)
{
    static const struct conf_backend second = {.index = 1}, third = {.index = 2};
    const struct conf_backend *const backends[] = {&second, &third};
    struct testca other;
    struct tlspair pair;

    testca_open(&other);
    bed.routes.backend_count = 3;
    bed.backends[1].verify_ca = testca_path(&other, "ca.pem");
    serve("server");
    for (size_t i = 0; i < COUNT_OF(backends); i++) {
        tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
        tls_engine_free(&pair.client.engine);
        pair.client.engine = tls_engine_backend(bed.set, backends[i]);
        cr_expect_eq(tlspair_shake(&pair), i == 1);
        tlspair_close(&pair);
    }
    testca_close(&other);
}

Test(backend, any_pin_must_match)
{
    serve("server");
    testca_pin(&bed.ca, "server", bed.pins[0]);
    bed.backends[0].pin_count = 1;
    cr_assert(tlsbed_load(&bed));
    expect_welcome("the pin");

    memcpy(bed.pins[1], bed.pins[0], sizeof(bed.pins[0]));
    bed.pins[0][31] ^= 1;
    bed.backends[0].pin_count = 2;
    cr_assert(tlsbed_load(&bed));
    expect_welcome("the second of two");

    bed.backends[0].pin_count = 1;
    cr_assert(tlsbed_load(&bed));
    expect_refusal("one bit off", "public key matches no pin, wanted imap.example.com");
}

Test(backend, a_pin_does_not_replace_chain_and_name)
{
    struct testca_leaf leaf = {.file = "row", .names = "imap.example.org"};

    bed.backends[0].pin_count = 1;
    testca_issue(&bed.ca, &leaf);
    testca_pin(&bed.ca, "row", bed.pins[0]);
    serve("row");
    expect_refusal("wrong name", "hostname mismatch, wanted imap.example.com");

    leaf = (struct testca_leaf){.file = "row", .names = "imap.example.com", .self_signed = true};
    testca_issue(&bed.ca, &leaf);
    testca_pin(&bed.ca, "row", bed.pins[0]);
    serve("row");
    expect_refusal("self-signed", "self-signed certificate, wanted imap.example.com");
}

Test(backend, presents_a_client_certificate)
{
    char *ca = testca_path(&bed.ca, "ca.pem");

    testca_issue(&bed.ca, &(struct testca_leaf){.file = "proxy", .client = true});
    bed.conf.tls.client_auth = CONF_CLIENT_AUTH_REQUIRE;
    bed.conf.tls.client_ca = ca;
    bed.backends[0].client_chain = testca_path(&bed.ca, "proxy.pem");
    bed.backends[0].client_key = testca_path(&bed.ca, "proxy.key");
    serve("server");
    expect_welcome("certified proxy");
}

static bool offered_alpn;

static int note_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *in, unsigned in_len, void *arg)
{
    UNUSED(ssl);
    UNUSED(in);
    UNUSED(in_len);
    UNUSED(arg);
    *out = NULL;
    *out_len = 0;
    offered_alpn = true;
    return SSL_TLSEXT_ERR_NOACK;
}

/* Some servers refuse protocols they do not know, so none is offered to them. */
Test(backend, sends_the_name_and_no_protocol)
{
    static const struct conf_backend first = {.index = 0};
    struct tlsraw raw;
    const char *sent;

    cr_assert(tlsbed_load(&bed));
    tlsraw_server(&raw, &bed);
    SSL_CTX_set_alpn_select_cb(raw.ctx, note_alpn, NULL);
    tlsraw_meet(&raw, tls_engine_backend(bed.set, &first), LIMIT_BUF);
    cr_expect(tlsraw_shake(&raw));
    sent = SSL_get_servername(raw.ssl, TLSEXT_NAMETYPE_host_name);
    cr_assert_not_null(sent);
    cr_expect_str_eq(sent, "imap.example.com");
    cr_expect_not(offered_alpn);
    tlsraw_close(&raw);
}

Test(backend, t16_nothing_below_tls_1_2)
{
    static const struct conf_backend first = {.index = 0};
    static const int version[] = {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

    cr_assert(tlsbed_load(&bed));
    for (size_t i = 0; i < COUNT_OF(version); i++) {
        struct tlsraw raw;

        tlsraw_server(&raw, &bed);
        SSL_CTX_set_security_level(raw.ctx, 0);
        SSL_CTX_set_min_proto_version(raw.ctx, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(raw.ctx, version[i]);
        tlsraw_meet(&raw, tls_engine_backend(bed.set, &first), LIMIT_BUF);
        cr_expect_eq(tlsraw_shake(&raw), version[i] >= TLS1_2_VERSION, "row %zu", i);
        tlsraw_close(&raw);
    }
}

/* A server may not ask for another handshake in the middle of a session either. */
Test(backend, t12_a_hello_request_is_refused)
{
    static const struct conf_backend first = {.index = 0};
    struct tlsraw raw;
    char byte;

    cr_assert(tlsbed_load(&bed));
    tlsraw_server(&raw, &bed);
    SSL_CTX_set_max_proto_version(raw.ctx, TLS1_2_VERSION);
    tlsraw_meet(&raw, tls_engine_backend(bed.set, &first), LIMIT_BUF);
    cr_assert(tlsraw_shake(&raw));
    cr_assert_eq(SSL_renegotiate(raw.ssl), 1);
    cr_assert_eq(SSL_do_handshake(raw.ssl), 1, "the request is on its way");
    cr_expect_eq(tlsraw_read(&raw, &byte, 1), -1);
    cr_expect_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    cr_expect_eq(tls_engine_state(raw.end.engine), TLS_OPEN);
    tlsraw_close(&raw);
}
