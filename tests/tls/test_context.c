/*
 * What is found when certificates, keys and lists are loaded: everything at once, each at its
 * place in the configuration, and nothing is put in force.
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

TestSuite(context, .init = open_bed, .fini = close_bed, .timeout = 60);

static void expect_finding(const char *file, const char *pointer, const char *part)
{
    const char *text = tlsbed_finding(&bed, pointer);

    cr_assert_not_null(text, "%s", pointer);
    cr_expect_not_null(strstr(text, part), "%s: '%s'", pointer, text);
    for (size_t i = 0; i < bed.errors.count; i++) {
        if (strcmp(bed.errors.list[i].pointer, pointer) != 0)
            continue;
        cr_expect_str_eq(bed.errors.list[i].file, file, "%s", pointer);
        cr_expect_eq(bed.errors.list[i].line, 0);
    }
}

static void expect_failure(size_t findings)
{
    cr_expect_not(tlsbed_load(&bed));
    cr_expect_null(bed.set, "out is untouched");
    cr_expect_eq(bed.errors.count, findings, "%zu findings", bed.errors.count);
    cr_expect_eq(ERR_peek_error(), 0);
}

static void present_key(const char *file)
{
    bed.certificates[0].key = testca_path(&bed.ca, file);
}

Test(context, t18_certificate_and_key_of_a_half_written_renewal)
{
    testca_issue(&bed.ca, &(struct testca_leaf){.file = "next", .names = "imap.example.com"});
    present_key("next.key");
    expect_failure(1);
    expect_finding(bed.conf.path, "/tls/certificates/0/key", "does not belong");
    testca_issue(&bed.ca, &(struct testca_leaf){
                              .file = "next", .names = "imap.example.com", .key = TESTCA_RSA});
    expect_failure(1);
    expect_finding(bed.conf.path, "/tls/certificates/0/key", "does not belong");
}

Test(context, t18_a_failed_load_leaves_the_one_in_force_alone)
{
    struct tls_set *next = NULL;
    struct tlspair pair;

    cr_assert(tlsbed_load(&bed));
    present_key("absent.key");
    cr_expect_not(tls_set_new(&bed.conf, bed.tickets, &next, &bed.errors));
    cr_expect_null(next);
    tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
    cr_expect(tlspair_shake(&pair));
    tlspair_close(&pair);
}

Test(context, t18_files_that_are_no_certificates_and_keys)
{
    static const char rubbish[] = "neither certificate nor key\n";
    static const char torn[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const struct {
        char *chain, *key;
        const char *about_chain, *about_key;
    } rows[] = {
        {testca_path(&bed.ca, "absent.pem"), testca_path(&bed.ca, "absent.key"),
         "No such file or directory", "No such file or directory"},
        {testca_write(&bed.ca, "empty", "", 0), testca_write(&bed.ca, "empty", "", 0),
         "holds no certificate", "holds no readable private key"},
        {testca_write(&bed.ca, "rubbish", rubbish, sizeof(rubbish) - 1),
         testca_write(&bed.ca, "rubbish", rubbish, sizeof(rubbish) - 1), "holds no certificate",
         "holds no readable private key"},
        {testca_write(&bed.ca, "torn", torn, sizeof(torn) - 1), testca_path(&bed.ca, "server.pem"),
         "holds a damaged certificate", "holds no readable private key"},
        {testca_path(&bed.ca, "server.key"), testca_lock(&bed.ca, "server", "locked.key"),
         "holds no certificate", "is protected by a passphrase"},
        {bed.ca.dir, bed.ca.dir, "holds", "holds no readable private key"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bed.certificates[0] = (struct conf_certificate){rows[i].chain, rows[i].key};
        expect_failure(2);
        expect_finding(bed.conf.path, "/tls/certificates/0/chain", rows[i].about_chain);
        expect_finding(bed.conf.path, "/tls/certificates/0/key", rows[i].about_key);
    }
}

/* An operator mends everything in one go. */
Test(context, t18_all_findings_of_both_files_at_once)
{
    char nonsense[] = "NONSENSE";
    char *absent = testca_path(&bed.ca, "absent");

    tlsbed_present(&bed, "missing");
    bed.certificates[0].key = absent;
    bed.conf.tls.ciphers = nonsense;
    bed.conf.tls.ciphersuites = nonsense;
    bed.conf.tls.groups = nonsense;
    bed.conf.tls.client_auth = CONF_CLIENT_AUTH_REQUEST;
    bed.conf.tls.client_ca = absent;
    bed.routes.backend_count = 4;
    bed.backends[1].verify_ca = absent;
    bed.backends[2].client_chain = testca_path(&bed.ca, "server.pem");
    bed.backends[2].client_key = absent;
    bed.backends[3].tls = CONF_TLS_NONE;
    bed.backends[3].verify_ca = absent;
    expect_failure(9);
    expect_finding(bed.conf.path, "/tls/certificates/0/key", "cannot read");
    expect_finding(bed.conf.path, "/tls/certificates/1/chain", "cannot read");
    expect_finding(bed.conf.path, "/tls/certificates/1/key", "cannot read");
    expect_finding(bed.conf.path, "/tls/ciphers", "\"NONSENSE\"");
    expect_finding(bed.conf.path, "/tls/ciphersuites", "\"NONSENSE\"");
    expect_finding(bed.conf.path, "/tls/groups", "\"NONSENSE\"");
    expect_finding(bed.conf.path, "/tls/client_ca", "cannot read");
    expect_finding(bed.routes.path, "/backends/two/verify/ca", "cannot read");
    expect_finding(bed.routes.path, "/backends/3~1~0/client_certificate/key", "cannot read");
}

Test(context, t18_a_client_certificate_that_does_not_fit_its_key)
{
    testca_issue(&bed.ca, &(struct testca_leaf){.file = "proxy", .client = true});
    bed.backends[0].client_chain = testca_path(&bed.ca, "proxy.pem");
    bed.backends[0].client_key = testca_path(&bed.ca, "server.key");
    expect_failure(1);
    expect_finding(bed.routes.path, "/backends/one/client_certificate/key", "does not belong");
}

/* `waypost check` warns of dates; to refuse a reload for them would help nobody. */
Test(context, an_expired_certificate_of_our_own_is_no_finding)
{
    testca_issue(&bed.ca,
                 &(struct testca_leaf){
                     .file = "server", .names = "imap.example.com", .from = -9, .until = -2});
    cr_expect(tlsbed_load(&bed));
}

Test(context, only_the_first_certificate_may_lack_a_name)
{
    testca_issue(&bed.ca, &(struct testca_leaf){.file = "nameless", .subject = "imap"});
    bed.conf.tls.certificate_count = 0;
    tlsbed_present(&bed, "nameless");
    tlsbed_present(&bed, "server");
    cr_expect(tlsbed_load(&bed));
    bed.conf.tls.certificate_count = 0;
    tlsbed_present(&bed, "server");
    tlsbed_present(&bed, "nameless");
    expect_failure(1);
    expect_finding(bed.conf.path, "/tls/certificates/1/chain", "no DNS name");
}

Test(context, what_openssl_refuses_is_found_at_start)
{
    char strict[] = "ALL:@SECLEVEL=5";

    bed.conf.tls.ciphers = strict;
    expect_failure(1);
    expect_finding(bed.conf.path, "/tls/certificates", "cannot use certificate 0");
}

Test(context, client_certificates_need_an_authority)
{
    bed.conf.tls.client_auth = CONF_CLIENT_AUTH_REQUIRE;
    expect_failure(1);
    expect_finding(bed.conf.path, "/tls/client_ca", "is needed");
}

Test(context, ed25519_works_too)
{
    struct tlspair pair;

    testca_issue(&bed.ca, &(struct testca_leaf){.file = "server",
                                                .names = "imap.example.com",
                                                .key = TESTCA_ED25519});
    cr_assert(tlsbed_load(&bed));
    tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
    cr_expect(tlspair_shake(&pair));
    tlspair_close(&pair);
}

Test(context, no_backends_are_no_trouble)
{
    bed.routes.backend_count = 0;
    cr_expect(tlsbed_load(&bed));
}
