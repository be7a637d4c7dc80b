/*
 * Session tickets: resumption across sets that share their keys, as workers and reloads do, the
 * rotation of keys, and what must not be resumed or sent early.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "support/tlspair.h"
#include "tls/set.h"
#include "waypost/base/limits.h"

static struct tlsbed bed;
static struct tlsraw raw;
static SSL_SESSION *session;
static unsigned tickets_seen;

static void open_bed(void)
{
    tlsbed_open(&bed);
    cr_assert(tlsbed_load(&bed));
}

static void close_bed(void)
{
    SSL_SESSION_free(session);
    tlsbed_close(&bed);
}

TestSuite(tickets, .init = open_bed, .fini = close_bed, .timeout = 60);

static int keep(SSL *ssl, SSL_SESSION *fresh)
{
    UNUSED(ssl);
    SSL_SESSION_free(session);
    session = fresh;
    tickets_seen++;
    return 1;
}

/* In TLS 1.2 a ticket that came with a resumption is no event, it is just another one. */
static void note_renewal(int version)
{
    SSL_SESSION *newest = SSL_get1_session(raw.ssl);
    const unsigned char *was, *is;
    size_t was_len, is_len;

    if (version == TLS1_2_VERSION && tickets_seen == 0) {
        SSL_SESSION_get0_ticket(session, &was, &was_len);
        SSL_SESSION_get0_ticket(newest, &is, &is_len);
        if (!slice_eq(slice_of(was, was_len), slice_of(is, is_len))) {
            keep(raw.ssl, newest);
            return;
        }
    }
    SSL_SESSION_free(newest);
}

/* Connects, offering `session` if there is one, and keeps the newest ticket. True: resumed. */
static bool connect_as(const char *host, int version, bool *open)
{
    char byte;
    bool resumed;

    tickets_seen = 0;
    tlsraw_client(&raw, &bed);
    SSL_CTX_set_max_proto_version(raw.ctx, version);
    SSL_CTX_set_session_cache_mode(raw.ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw.ctx, keep);
    tlsraw_meet(&raw, tls_engine_server(bed.set), LIMIT_BUF);
    SSL_set_tlsext_host_name(raw.ssl, host);
    if (session != NULL)
        cr_assert_eq(SSL_set_session(raw.ssl, session), 1);
    *open = tlsraw_shake(&raw);
    resumed = tls_engine_resumed(raw.end.engine);
    if (*open) {
        cr_expect_eq(tlsraw_read(&raw, &byte, 1), -1, "nothing but tickets to read");
        cr_expect_str_eq(tls_engine_sni(raw.end.engine), host);
        cr_expect_eq(resumed, SSL_session_reused(raw.ssl) == 1);
        note_renewal(version);
    }
    /* OpenSSL lets no session be resumed whose connection was dropped without this. */
    SSL_shutdown(raw.ssl);
    tlsraw_close(&raw);
    return resumed;
}

static bool resumes(int version)
{
    bool open, resumed = connect_as("imap.example.com", version, &open);

    cr_expect(open, "resumed or not, it works");
    return resumed;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void forget(void)
{
    SSL_SESSION_free(session);
    session = NULL;
}

Test(tickets, t11_resumed_after_a_reload)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        forget();
        cr_expect_not(resumes(versions[i]));
        cr_expect_eq(tickets_seen, 1, "one ticket a handshake");
        cr_assert(tlsbed_load(&bed), "a second set with the same keys");
        cr_expect(resumes(versions[i]));
        cr_expect(resumes(versions[i]), "again");
    }
}

Test(tickets, t11_a_tls_1_3_ticket_is_followed_by_the_next)
{
    cr_expect_not(resumes(TLS1_3_VERSION));
    cr_expect(resumes(TLS1_3_VERSION));
    cr_expect_eq(tickets_seen, 1);
}

Test(tickets, t11_not_with_the_keys_of_others)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        forget();
        cr_expect_not(resumes(versions[i]));
        tls_set_free(&bed.set);
        tls_tickets_free(&bed.tickets);
        bed.tickets = tls_tickets_new(NULL, &bed.errors);
        cr_assert(tlsbed_load(&bed));
        cr_expect_not(resumes(versions[i]));
    }
}

static uint64_t now(void)
{
    struct timespec time;

    cr_assert_eq(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return (uint64_t)time.tv_sec;
}

Test(tickets, t11_the_previous_key_still_opens)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        uint64_t start = now();
        struct tls_tickets *fresh = tls_tickets_new(NULL, &bed.errors);

        tls_set_free(&bed.set);
        tls_tickets_free(&bed.tickets);
        bed.tickets = fresh;
        cr_assert(tlsbed_load(&bed));
        forget();
        cr_expect_not(resumes(versions[i]));
        tls_tickets_rotate(bed.tickets, start + TLS_TICKET_PERIOD - 60);
        cr_expect(resumes(versions[i]), "too soon to rotate");
        forget();
        cr_expect_not(resumes(versions[i]));
        tls_tickets_rotate(bed.tickets, start + TLS_TICKET_PERIOD + 60);
        cr_expect(resumes(versions[i]), "by the previous key");
        cr_expect_eq(tickets_seen, 1, "and sealed anew");
        tls_tickets_rotate(bed.tickets, start + 2 * TLS_TICKET_PERIOD + 120);
        cr_expect(resumes(versions[i]), "so that another rotation does not matter");
        tls_tickets_rotate(bed.tickets, start + 3 * TLS_TICKET_PERIOD + 180);
        tls_tickets_rotate(bed.tickets, start + 4 * TLS_TICKET_PERIOD + 240);
        cr_expect_not(resumes(versions[i]), "but two in a row do");
    }
}

Test(tickets, t11_after_a_long_silence_the_old_key_is_gone)
{
    uint64_t start = now();

    cr_expect_not(resumes(TLS1_3_VERSION));
    tls_tickets_rotate(bed.tickets, start + 2 * TLS_TICKET_PERIOD + 60);
    cr_expect_not(resumes(TLS1_3_VERSION));
}

struct crowd {
    unsigned done;
    bool good;
};

static void *shake_often(void *arg)
{
    struct crowd *mine = arg;

    mine->good = true;
    for (; mine->done < 25; mine->done++) {
        struct tlspair pair;

        tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
        mine->good = tlspair_shake(&pair) && mine->good;
        tlspair_close(&pair);
    }
    return NULL;
}

/* Workers share the set, and with it the keys, while these change. */
Test(tickets, t11_shared_by_threads)
{
    pthread_t threads[3];
    struct crowd crowd[COUNT_OF(threads)] = {{0}};
    uint64_t start = now();

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, shake_often, &crowd[i]), 0);
    for (uint64_t i = 1; i < 200; i++)
        tls_tickets_rotate(bed.tickets, start + i * TLS_TICKET_PERIOD);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        cr_expect_eq(pthread_join(threads[i], NULL), 0);
        cr_expect(crowd[i].good && crowd[i].done == 25);
    }
}

static void use_file(const char *bytes, size_t len)
{
    char *path = testca_write(&bed.ca, "tickets", bytes, len);

    tls_set_free(&bed.set);
    tls_tickets_free(&bed.tickets);
    bed.tickets = tls_tickets_new(path, &bed.errors);
    cr_assert_not_null(bed.tickets);
    cr_assert(tlsbed_load(&bed));
}

Test(tickets, t11_keys_from_a_file_serve_several_nodes)
{
    char keys[160];

    for (size_t i = 0; i < sizeof(keys); i++)
        keys[i] = (char)(i * 7 + i / 80);
    use_file(keys, 80);
    cr_expect_not(resumes(TLS1_3_VERSION));
    tls_tickets_rotate(bed.tickets, now() + 9 * TLS_TICKET_PERIOD);
    cr_expect(resumes(TLS1_3_VERSION), "they are not rotated by age");
    use_file(keys, 80);
    cr_expect(resumes(TLS1_3_VERSION), "another process");
    memmove(keys + 80, keys, 80);
    keys[0] ^= 1;
    use_file(keys, 160);
    cr_expect(resumes(TLS1_3_VERSION), "the second key of the file is the previous one");
    use_file(keys, 80);
    cr_expect(resumes(TLS1_3_VERSION), "and the first one seals");
}

/* What a reload reads: other keys, from a file or not. */
static void follow_file(const char *bytes, size_t len)
{
    struct tls_tickets *from =
        tls_tickets_new(testca_write(&bed.ca, "tickets", bytes, len), &bed.errors);

    cr_assert_not_null(from);
    tls_tickets_follow(bed.tickets, from);
    tls_tickets_free(&from);
}

Test(tickets, t11_a_reload_takes_the_keys_of_the_file)
{
    char keys[160];

    for (size_t i = 0; i < sizeof(keys); i++)
        keys[i] = (char)(i * 11 + i / 80);
    cr_expect_not(resumes(TLS1_3_VERSION));
    follow_file(keys, 80);
    cr_expect_not(resumes(TLS1_3_VERSION), "sealed with random keys, which are gone");
    tls_tickets_rotate(bed.tickets, now() + 9 * TLS_TICKET_PERIOD);
    cr_expect(resumes(TLS1_3_VERSION), "they are not rotated by age");
    memmove(keys + 80, keys, 80);
    keys[0] ^= 1;
    follow_file(keys, 160);
    cr_expect(resumes(TLS1_3_VERSION), "the second key of the file opens");
    follow_file(keys, 80);
    cr_expect(resumes(TLS1_3_VERSION), "and the first one sealed");
}

Test(tickets, t11_a_reload_without_a_file_keeps_random_keys_and_leaves_others)
{
    static const char keys[80] = "some";

    cr_expect_not(resumes(TLS1_3_VERSION));
    tls_tickets_follow(bed.tickets, NULL);
    cr_expect(resumes(TLS1_3_VERSION));
    follow_file(keys, 80);
    forget();
    cr_expect_not(resumes(TLS1_3_VERSION));
    tls_tickets_follow(bed.tickets, NULL);
    cr_expect(resumes(TLS1_3_VERSION), "the key of the file still opens");
    tls_tickets_rotate(bed.tickets, now() + TLS_TICKET_PERIOD + 60);
    tls_tickets_rotate(bed.tickets, now() + 2 * TLS_TICKET_PERIOD + 120);
    forget();
    cr_expect_not(resumes(TLS1_3_VERSION));
    tls_tickets_rotate(bed.tickets, now() + 4 * TLS_TICKET_PERIOD + 180);
    cr_expect_not(resumes(TLS1_3_VERSION), "random keys are rotated by age again");
}

Test(tickets, t11_a_key_file_must_have_the_right_size)
{
    static const size_t sizes[] = {0, 1, 48, 79, 81, 159, 161, 240, 1000};
    static const char bytes[1000];

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *path = testca_write(&bed.ca, "tickets", bytes, sizes[i]);

        conf_errors_clear(&bed.errors);
        cr_expect_null(tls_tickets_new(path, &bed.errors), "%zu bytes", sizes[i]);
        cr_assert_eq(bed.errors.count, 1);
        cr_expect_str_eq(bed.errors.list[0].file, path);
    }
    conf_errors_clear(&bed.errors);
    cr_expect_null(tls_tickets_new(testca_path(&bed.ca, "absent"), &bed.errors));
    cr_expect_eq(bed.errors.count, 1);
}

/* What was verified under one authority must not be resumed under another. */
Test(tickets, t11_not_after_the_client_authority_changed)
{
    struct testca other;

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        bool open;

        forget();
        bed.conf.tls.client_auth = CONF_CLIENT_AUTH_REQUEST;
        bed.conf.tls.client_ca = testca_path(&bed.ca, "ca.pem");
        cr_assert(tlsbed_load(&bed));
        cr_expect_not(resumes(versions[i]));
        cr_assert(tlsbed_load(&bed));
        cr_expect(resumes(versions[i]));
        testca_open(&other);
        bed.conf.tls.client_ca = testca_path(&other, "ca.pem");
        cr_assert(tlsbed_load(&bed));
        cr_expect_not(connect_as("imap.example.com", versions[i], &open));
        testca_close(&other);
    }
}

/* Nor may a session that began without a certificate slip past a later demand for one. */
Test(tickets, t11_not_after_certificates_became_required)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        bool open;

        forget();
        bed.conf.tls.client_auth = CONF_CLIENT_AUTH_REQUEST;
        bed.conf.tls.client_ca = testca_path(&bed.ca, "ca.pem");
        cr_assert(tlsbed_load(&bed));
        cr_expect_not(resumes(versions[i]));
        bed.conf.tls.client_auth = CONF_CLIENT_AUTH_REQUIRE;
        cr_assert(tlsbed_load(&bed));
        cr_expect_not(connect_as("imap.example.com", versions[i], &open));
        cr_expect_not(open);
    }
}

Test(tickets, t15_a_resumed_handshake_does_not_skip_the_name)
{
    bool open;

    cr_expect_not(connect_as("nobody.invalid", TLS1_3_VERSION, &open));
    cr_expect(open);
    bed.conf.tls.refuse_unknown_sni = true;
    cr_assert(tlsbed_load(&bed));
    connect_as("nobody.invalid", TLS1_3_VERSION, &open);
    cr_expect_not(open);
}

/* A client that sends early data although no ticket allows it: the bytes are thrown away. */
Test(tickets, t10_no_early_data)
{
    size_t sent = 0;

    cr_expect_not(resumes(TLS1_3_VERSION));
    cr_expect_eq(SSL_SESSION_get_max_early_data(session), 0);
    cr_assert_eq(SSL_SESSION_set_max_early_data(session, 1000), 1);
    tlsraw_client(&raw, &bed);
    tlsraw_meet(&raw, tls_engine_server(bed.set), LIMIT_BUF);
    cr_assert_eq(SSL_set_session(raw.ssl, session), 1);
    SSL_set_tlsext_host_name(raw.ssl, "imap.example.com");
    cr_assert_eq(SSL_write_early_data(raw.ssl, "a1 LOGIN a b\r\n", 14, &sent), 1);
    cr_expect(tlsraw_shake(&raw));
    cr_expect_eq(SSL_get_early_data_status(raw.ssl), SSL_EARLY_DATA_REJECTED);
    cr_expect(buf_empty(&raw.end.in), "the bytes are not delivered");
    cr_assert_eq(SSL_write(raw.ssl, "a2 NOOP\r\n", 9), 9);
    tlsraw_carry(&raw);
    cr_expect(slice_eq(buf_bytes(&raw.end.in), SLICE("a2 NOOP\r\n")));
    tlsraw_close(&raw);
}
