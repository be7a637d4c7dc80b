/*
 * How a TLS connection ends: close_notify, truncation, and our own last words. Each is told apart,
 * and none loses a byte.
 */
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "support/tlsmeet.h"
#include "waypost/base/limits.h"

TestSuite(endings, .init = open_bed, .fini = close_bed, .timeout = 60);

Test(endings, t13_close_notify_is_a_clean_end)
{
    meet(LIMIT_BUF);
    say(&pair.client, "a9 LOGOUT\r\n");
    tls_finish(pair.client.engine, &pair.client.io);
    tlspair_run(&pair);
    expect_in(&pair.server, "a9 LOGOUT\r\n");
    expect_end(&pair.server, TLS_CLOSED, TLS_FINE, "");
    cr_expect_eq(tls_engine_state(pair.client.engine), TLS_OPEN);
    tlspair_close(&pair);
}

/* The peer has said all, but may still listen (RFC 8446 section 6.1). */
Test(endings, t13_after_the_peers_end_ours_is_still_sent)
{
    struct tlsraw raw;
    char got[64] = "";

    tlsraw_client(&raw, &bed);
    tlsraw_meet(&raw, tls_engine_server(bed.set), LIMIT_BUF);
    cr_assert(tlsraw_shake(&raw));
    cr_assert_eq(SSL_write(raw.ssl, "a9 LOGOUT\r\n", 11), 11);
    cr_assert_eq(SSL_shutdown(raw.ssl), 0);
    tlsraw_carry(&raw);
    expect_in(&raw.end, "a9 LOGOUT\r\n");
    expect_end(&raw.end, TLS_CLOSED, TLS_FINE, "");
    say(&raw.end, "* BYE\r\n");
    tls_finish(raw.end.engine, &raw.end.io);
    cr_expect_eq(tlsraw_read(&raw, got, sizeof(got)), 7);
    cr_expect_str_eq(got, "* BYE\r\n");
    cr_expect_eq(tlsraw_read(&raw, got, sizeof(got)), 0);
    cr_expect_eq(SSL_get_error(raw.ssl, 0), SSL_ERROR_ZERO_RETURN);
    tlsraw_close(&raw);
}

Test(endings, t13_an_end_without_close_notify_is_truncation)
{
    meet(LIMIT_BUF);
    say(&pair.client, "a1 APPEND");
    tlspair_run(&pair);
    pair.server.io.wire_eof = true;
    cr_expect(tls_advance(pair.server.engine, &pair.server.io));
    expect_in(&pair.server, "a1 APPEND");
    expect_end(&pair.server, TLS_TRUNCATED, TLS_FINE, "connection ended without notice");
    cr_expect_not(tls_advance(pair.server.engine, &pair.server.io));
    tlspair_close(&pair);
}

Test(endings, t13_so_is_an_end_inside_a_record)
{
    meet(LIMIT_BUF);
    say(&pair.client, "a1 APPEND");
    tls_advance(pair.client.engine, &pair.client.io);
    buf_move(&pair.server.wire_in, &pair.client.wire_out, 12);
    pair.server.io.wire_eof = true;
    cr_expect(tls_advance(pair.server.engine, &pair.server.io));
    cr_expect(buf_empty(&pair.server.in));
    cr_expect_eq(tls_engine_state(pair.server.engine), TLS_TRUNCATED);
    tlspair_close(&pair);
}

/* Bytes that arrived with the end are delivered first, however little room there is. */
Test(endings, t13_the_end_comes_after_the_last_byte)
{
    meet(LIMIT_BUF);
    pair.server.in.max = 4;
    pair.server.io.wire_eof = true;
    say(&pair.client, "1234567");
    tls_advance(pair.client.engine, &pair.client.io);
    buf_move(&pair.server.wire_in, &pair.client.wire_out, LIMIT_BUF);
    tls_advance(pair.server.engine, &pair.server.io);
    cr_expect_eq(tls_engine_state(pair.server.engine), TLS_OPEN);
    expect_in(&pair.server, "1234");
    tls_advance(pair.server.engine, &pair.server.io);
    expect_in(&pair.server, "567");
    cr_expect_eq(tls_engine_state(pair.server.engine), TLS_TRUNCATED);
    tlspair_close(&pair);
}

/* A peer that only shut its sending side down still gets what we had to say. */
Test(endings, after_truncation_the_output_still_goes_out)
{
    meet(LIMIT_BUF);
    pair.server.io.wire_eof = true;
    tls_advance(pair.server.engine, &pair.server.io);
    cr_assert_eq(tls_engine_state(pair.server.engine), TLS_TRUNCATED);
    say(&pair.server, "* BYE\r\n");
    tls_finish(pair.server.engine, &pair.server.io);
    tlspair_run(&pair);
    expect_in(&pair.client, "* BYE\r\n");
    cr_expect_eq(tls_engine_state(pair.client.engine), TLS_CLOSED);
    tlspair_close(&pair);
}

Test(endings, end_of_transport_during_the_handshake)
{
    for (size_t cut = 0; cut < 200; cut += 9) {
        tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
        tls_advance(pair.client.engine, &pair.client.io);
        buf_move(&pair.server.wire_in, &pair.client.wire_out, cut);
        tls_advance(pair.server.engine, &pair.server.io);
        pair.server.io.wire_eof = true;
        cr_expect(tls_advance(pair.server.engine, &pair.server.io));
        expect_end(&pair.server, TLS_TRUNCATED, TLS_FINE, "connection ended during the handshake");
        tlspair_close(&pair);
    }
}

Test(endings, finish_during_the_handshake_says_nothing)
{
    tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
    tls_finish(pair.server.engine, &pair.server.io);
    cr_expect(buf_empty(&pair.server.wire_out));
    cr_expect_eq(ERR_peek_error(), 0, "and leaves nothing for the next connection");
    cr_expect(tlspair_shake(&pair), "nor does it spoil the handshake");
    tlspair_close(&pair);
}

Test(endings, finish_says_it_once)
{
    size_t said;

    meet(LIMIT_BUF);
    tls_finish(pair.server.engine, &pair.server.io);
    said = buf_len(&pair.server.wire_out);
    cr_expect_gt(said, 0);
    tls_finish(pair.server.engine, &pair.server.io);
    tls_advance(pair.server.engine, &pair.server.io);
    cr_expect_eq(buf_len(&pair.server.wire_out), said);
    tlspair_close(&pair);
}

Test(endings, after_finish_nothing_more_is_read)
{
    meet(LIMIT_BUF);
    tls_finish(pair.server.engine, &pair.server.io);
    say(&pair.client, "a2 NOOP\r\n");
    tls_advance(pair.client.engine, &pair.client.io);
    buf_move(&pair.server.wire_in, &pair.client.wire_out, LIMIT_BUF);
    tls_advance(pair.server.engine, &pair.server.io);
    cr_expect(buf_empty(&pair.server.in));
    cr_expect(buf_empty(&pair.server.wire_in), "and it holds no block");
    tlspair_close(&pair);
}

/* Bytes and alert both wait for room, in this order. */
Test(endings, finish_through_a_narrow_wire)
{
    for (size_t max = 1; max < 40; max++) {
        meet(LIMIT_BUF);
        say(&pair.server, "* BYE\r\n");
        pair.server.wire_out.max = max;
        tls_finish(pair.server.engine, &pair.server.io);
        tlspair_run(&pair);
        expect_in(&pair.client, "* BYE\r\n");
        expect_end(&pair.client, TLS_CLOSED, TLS_FINE, "");
        tlspair_close(&pair);
    }
}
