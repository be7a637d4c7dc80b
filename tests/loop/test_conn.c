/*
 * One client's life from accept to the last close callback, with a scripted backend. Every test
 * ends with an empty loop, an empty pool and nobody holding the configuration (connbed_close).
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "support/connbed.h"
#include "support/sockets.h"
#include "waypost/base/limits.h"

#define PLAIN "\"tls\": \"none\""

static struct connbed bed;
static struct peer client, backend;

static unsigned blocks(void)
{
    unsigned n = 0;

    for (unsigned c = 0; c < POOL_CLASSES; c++)
        n += bed.pool.taken[c];
    return n;
}

static void hang_up(void)
{
    peer_close(&client);
    peer_close(&backend);
    cr_expect(connbed_empties(&bed), "a connection does not end");
    connbed_close(&bed);
}

Test(conn, relays_a_session_and_forgets_it)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    cr_expect_eq(blocks(), 0, "an idle session holds a block");
    peer_say(&client, "b NOOP\r\n");
    cr_expect(peer_hears(&backend, "b NOOP\r\n"));
    peer_say(&backend, "* 3 EXISTS\r\nb OK done\r\n");
    cr_expect(peer_hears(&client, "* 3 EXISTS\r\nb OK done\r\n"));
    peer_say(&client, "c LOGOUT\r\n");
    cr_expect(peer_hears(&backend, "c LOGOUT\r\n"));
    peer_say(&backend, "* BYE bye\r\nc OK out\r\n");
    peer_close(&backend);
    cr_expect(peer_hears(&client, "* BYE bye\r\nc OK out\r\n"));
    cr_expect(peer_hears_end(&client), "no close_notify at the end");
    for (unsigned i = 0; i < 5; i++)
        connbed_turn(&bed);
    cr_expect_eq(bed.home.count, 1, "closed before the client did");
    cr_expect(connbed_logged(&bed, "reason=logout"));
    hang_up();
    cr_expect_eq(bed.gone, 1);
}

Test(conn, starttls_and_what_was_pipelined_behind_it)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_connect(&bed, 1, &client);
    cr_expect(peer_hears(&client, "STARTTLS"));
    peer_say(&client, "a STARTTLS\r\n");
    cr_expect(peer_hears(&client, "a OK "));
    cr_expect(peer_hears(&client, "\r\n"));
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    peer_say(&client, "b CAPABILITY\r\n");
    cr_expect(peer_hears(&client, "AUTH=PLAIN"));
    cr_expect(peer_hears(&client, "b OK"));
    peer_close(&client);
    cr_expect(connbed_empties(&bed));

    connbed_connect(&bed, 1, &client);
    cr_expect(peer_hears(&client, "STARTTLS"));
    peer_say(&client, "a STARTTLS\r\nb CAPABILITY\r\n");
    cr_expect(peer_hears_end(&client));
    cr_expect(connbed_logged(&bed, "reason=starttls_injection"));
    backend.fd = -1;
    hang_up();
}

Test(conn, t13_truncation_is_not_a_clean_end)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    peer_close(&client);
    cr_expect(connbed_empties(&bed));
    cr_expect(connbed_logged(&bed, "reason=client_closed"));
    cr_expect_not(connbed_logged_yet(&bed, "reason=client_truncated"));
    peer_close(&backend);

    connbed_log_in(&bed, &client, &backend);
    peer_die(&client);
    cr_expect(connbed_empties(&bed));
    cr_expect(connbed_logged(&bed, "reason=client_truncated"));
    hang_up();
}

/* The alert must arrive, not a reset: it is how a client's user learns what is wrong. */
Test(conn, failed_handshake_sends_its_alert)
{
    connbed_open(&bed, NULL, PLAIN);
    SSL_CTX_set_security_level(bed.ctx, 0);
    SSL_CTX_set_max_proto_version(bed.ctx, TLS1_1_VERSION);
    connbed_connect(&bed, 0, &client);
    cr_expect_not(peer_secure(&client, bed.ctx, "proxy.test"));
    cr_expect_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
    cr_expect(connbed_logged(&bed, "reason=handshake_failed"));
    backend.fd = -1;
    hang_up();
}

Test(conn, handshake_that_breaks_off)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_connect(&bed, 0, &client);
    peer_say(&client, "\x16\x03\x01");
    peer_close(&client);
    backend.fd = -1;
    cr_expect(connbed_empties(&bed));
    cr_expect_not(connbed_logged_yet(&bed, "to=COMMAND"));
    hang_up();
}

/* A client that stops reading in the middle of a long FETCH. */
Test(conn, t69_client_that_stops_reading_costs_two_blocks)
{
    const size_t literal = 50000000;
    size_t sent = 0, last = 1, got = 0, before;
    char text[64];

    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    tcp_shrink(client.fd);
    tcp_shrink(backend.fd);
    peer_say(&client, "b FETCH 1 BODY[]\r\n");
    cr_assert(peer_hears(&backend, "b FETCH 1 BODY[]\r\n"));
    snprintf(text, sizeof(text), "* 1 FETCH (BODY[] {%zu}\r\n", literal);
    peer_say(&backend, text);
    for (unsigned quiet = 0; quiet<300; quiet = last> 0 ? 0 : quiet + 1) {
        connbed_turn(&bed);
        usleep(200);
        last = peer_pour(&backend, literal - sent);
        sent += last;
    }
    cr_expect_lt(sent, literal / 2, "the proxy or the kernel swallowed %zu bytes", sent);
    cr_expect_leq(blocks(), 2, "%u blocks", blocks());
    cr_expect_leq(bed.most_blocks, 2, "%u blocks", bed.most_blocks);
    before = sent;
    while (got < before) { /* the session goes on where it stopped */
        connbed_turn(&bed);
        got += peer_swallow(&client);
        sent += peer_pour(&backend, literal - sent);
    }
    cr_expect_gt(sent, before);
    peer_die(&client);
    hang_up();
}

/* Both sides send and neither reads: each direction stops for itself, and either goes on alone. */
Test(conn, t70_full_pipes_do_not_lock_each_other)
{
    size_t up = 0, down = 0, last = 1;

    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    tcp_shrink(client.fd);
    tcp_shrink(backend.fd);
    peer_say(&client, "b APPEND x {90000000+}\r\n");
    cr_assert(peer_hears(&backend, "b APPEND x {90000000+}\r\n"));
    peer_say(&backend, "* 1 FETCH (BODY[] {90000000}\r\n");
    cr_assert(peer_hears(&client, "{90000000}\r\n"));
    for (unsigned quiet = 0; quiet<300; quiet = last> 0 ? 0 : quiet + 1) {
        connbed_turn(&bed);
        usleep(200);
        last = peer_pour(&client, 65536) + peer_pour(&backend, 65536);
    }
    cr_expect_leq(blocks(), 4, "%u blocks", blocks());
    for (unsigned i = 0; i < 20000 && down < 500000; i++) {
        connbed_turn(&bed);
        down += peer_swallow(&client);
        (void)peer_pour(&backend, 65536);
    }
    cr_expect_geq(down, 500000, "client.in is full, so the other direction stands still");
    for (unsigned i = 0; i < 20000 && up < 500000; i++) {
        connbed_turn(&bed);
        up += peer_swallow(&backend);
        (void)peer_pour(&client, 65536);
    }
    cr_expect_geq(up, 500000);
    peer_die(&client);
    peer_die(&backend);
    hang_up();
}

Test(conn, t72_client_is_told_when_the_backend_dies)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    peer_say(&client, "b STORE 1 +FLAGS (\\Deleted)\r\n");
    cr_assert(peer_hears(&backend, "b STORE"));
    tcp_reset(backend.fd);
    backend.fd = -1;
    peer_say(&client, "c NOOP\r\n");
    cr_expect(peer_hears(&client, "* BYE "));
    cr_expect(peer_hears_end(&client));
    hang_up();
}

/* One record holds more plaintext than the port has room for while the client does not read: what
 * OpenSSL has decrypted does not wake the loop, so it must come when room does. */
Test(conn, t76_decrypted_bytes_do_not_wait_for_the_socket)
{
    const size_t literal = 300000;
    size_t sent = 0, got = 0;

    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    tcp_shrink(backend.fd);
    peer_say(&client, "b APPEND x {300000+}\r\n");
    cr_assert(peer_hears(&backend, "{300000+}\r\n"));
    for (unsigned i = 0; i < 2000; i++) { /* the backend does not read */
        sent += peer_pour(&client, literal - sent);
        connbed_turn(&bed);
    }
    for (unsigned i = 0; i < 100000 && got < literal; i++) {
        connbed_turn(&bed);
        got += peer_swallow(&backend);
        sent += peer_pour(&client, literal - sent);
    }
    cr_expect_eq(got, literal, "%zu of %zu", got, literal);
    hang_up();
}

Test(conn, backend_that_refuses)
{
    connbed_open(&bed, "\"auth\": {\"penalty\": {\"first\": \"0s\", \"max\": \"0s\"}}", PLAIN);
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    close(bed.listener);
    bed.listener = -1;
    for (unsigned i = 0; i < 3; i++) {
        peer_say(&client, "a LOGIN alice sesame\r\n");
        cr_expect(peer_hears(&client, "a NO [UNAVAILABLE]"));
    }
    cr_expect(connbed_logged(&bed, "connection refused"));
    backend.fd = -1;
    hang_up();
}

Test(conn, backend_that_never_greets)
{
    connbed_open(&bed, "\"timeouts\": {\"backend_login\": \"200ms\"}", PLAIN);
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    peer_say(&client, "a LOGIN alice sesame\r\n");
    connbed_accept(&bed, &backend);
    cr_expect(peer_hears(&client, "a NO [UNAVAILABLE]"));
    cr_expect(connbed_logged(&bed, "no answer in time"));
    hang_up();
}

Test(conn, client_leaves_while_the_backend_is_dialled)
{
    int fillers[8];

    connbed_open(&bed, NULL, PLAIN);
    close(bed.listener);
    bed.listener = tcp_listen(0, &bed.port);
    for (unsigned i = 0; i < COUNT_OF(fillers); i++)
        fillers[i] = tcp_connect(bed.port);
    connbed_redirect(&bed);
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    peer_say(&client, "a LOGIN alice sesame\r\n");
    for (unsigned i = 0; i < 50; i++)
        connbed_turn(&bed);
    cr_expect(connbed_logged(&bed, "to=DIAL"));
    peer_close(&client);
    cr_expect(connbed_empties(&bed), "the dial outlives its client");
    backend.fd = -1;
    for (unsigned i = 0; i < COUNT_OF(fillers); i++)
        close(fillers[i]);
    hang_up();
}

Test(conn, tls_to_the_backend_and_its_wrong_name)
{
    connbed_open(&bed, NULL, "\"tls\": \"implicit\", \"verify\": {\"name\": \"other.test\"}");
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    peer_say(&client, "a LOGIN alice sesame\r\n");
    connbed_accept(&bed, &backend);
    /* The bed's backend speaks no TLS at all. */
    peer_say(&backend, "* OK [CAPABILITY IMAP4rev1] ready\r\n");
    cr_expect(peer_hears(&client, "a NO ["));
    cr_expect_not(connbed_logged_yet(&bed, "sesame"));
    hang_up();
}

Test(conn, shutdown_says_bye_and_drains)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    conns_leave(&bed.home, REASON_shutdown);
    cr_expect(peer_hears(&client, "* BYE "));
    cr_expect(peer_hears_end(&client));
    cr_expect(connbed_logged(&bed, "reason=shutdown"));
    hang_up();
}

Test(conn, abort_waits_for_nobody)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    peer_say(&client, "b FETCH 1 BODY[]\r\n");
    cr_assert(peer_hears(&backend, "b FETCH"));
    peer_say(&backend, "* 1 FETCH (BODY[] {100000}\r\nabc");
    cr_assert(peer_hears(&client, "abc"));
    conns_leave(&bed.home, REASON_shutdown);
    for (unsigned i = 0; i < 20; i++)
        connbed_turn(&bed);
    cr_expect_eq(bed.home.count, 1, "left in the middle of a literal");
    conns_abort(&bed.home);
    conns_abort(&bed.home);
    for (unsigned i = 0; i < 5; i++)
        connbed_turn(&bed);
    cr_expect_eq(bed.home.count, 0);
    cr_expect(connbed_logged(&bed, "reason=shutdown"));
    hang_up();
}
