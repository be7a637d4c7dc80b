/*
 * The engine between buffers: exact transfer at every buffer size, and what it does when peers or
 * memory fail it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "support/tlsmeet.h"
#include "tls/set.h"
#include "waypost/base/limits.h"

#define MEGABYTE 1000003u

TestSuite(engine, .init = open_bed, .fini = close_bed, .timeout = 120);

/* A stream of bytes that no shift or loss of a block leaves equal to itself. */
static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i ^ (i >> 8) * 7 ^ (i >> 16) * 13);
}

struct flow {
    struct tlsend *from, *to;
    size_t total, chunk, sent, seen;
    bool exact;
};

/* Tops up `out` by at most a chunk and checks what came. True when anything was done. */
static bool pump(struct flow *f)
{
    size_t before = f->sent + f->seen, limit = f->sent + f->chunk;
    struct slice got = buf_bytes(&f->to->in);

    while (f->sent < f->total && f->sent < limit && buf_room(&f->from->out) > 0) {
        char byte = (char)byte_at(f->sent++);
        cr_assert(buf_append(&f->from->out, slice_of(&byte, 1)));
    }
    for (size_t i = 0; i < got.len; i++)
        f->exact = f->exact && (unsigned char)got.ptr[i] == byte_at(f->seen + i);
    f->seen += got.len;
    buf_drop(&f->to->in, got.len);
    return f->sent + f->seen != before;
}

static void exchange(size_t total, size_t max, size_t step, size_t chunk)
{
    struct flow up, down;
    bool busy = true;

    tlspair_open(&pair, bed.set, max, step);
    up = (struct flow){&pair.client, &pair.server, total, chunk, 0, 0, true};
    down = (struct flow){&pair.server, &pair.client, total, chunk, 0, 0, true};
    while (busy) {
        busy = tlspair_turn(&pair);
        busy = pump(&up) || busy;
        busy = pump(&down) || busy;
    }
    cr_expect(up.seen == total && up.exact, "up: %zu of %zu, max %zu step %zu", up.seen, total, max,
              step);
    cr_expect(down.seen == total && down.exact, "down: %zu of %zu, max %zu step %zu", down.seen,
              total, max, step);
    for (unsigned c = 0; c < POOL_CLASSES; c++)
        cr_expect_eq(pair.pool.taken[c], 0, "an idle connection holds no block");
    tlspair_close(&pair);
}

/* Engines of ours would agree on the newest version; the set's context is talked out of it. */
static void only_tls_1_2(void)
{
    SSL_CTX_set_max_proto_version(bed.set->server, TLS1_2_VERSION);
}

Test(engine, a_megabyte_each_way)
{
    exchange(MEGABYTE, LIMIT_BUF, LIMIT_BUF, MEGABYTE);
    exchange(MEGABYTE, LIMIT_BLOCK_LARGE, 1448, 5000);
    exchange(MEGABYTE, 4096, 4096, 4096);
}

Test(engine, every_size_of_buffer_and_step)
{
    static const size_t max[] = {1, 2, 5, 23, 100, 350, 4096, 16384, LIMIT_BUF};
    static const size_t step[] = {1, 7, 350, 17500};

    for (size_t i = 0; i < COUNT_OF(max); i++)
        for (size_t j = 0; j < COUNT_OF(step); j++)
            exchange(max[i] < 350 ? 500 : 20000, max[i], step[j], 700);
}

Test(engine, tls_1_2_does_the_same)
{
    only_tls_1_2();
    exchange(MEGABYTE, LIMIT_BUF, LIMIT_BUF, MEGABYTE);
    exchange(500, 1, 1, 700);
    exchange(5000, 100, 7, 700);
}

Test(engine, byte_by_byte)
{
    exchange(3000, LIMIT_BUF, 1, 1);
}

Test(engine, says_what_was_agreed)
{
    meet(LIMIT_BUF);
    cr_expect_str_eq(tls_engine_version(pair.server.engine), "TLSv1.3");
    cr_expect_str_eq(tls_engine_cipher(pair.server.engine), "TLS_AES_128_GCM_SHA256");
    cr_expect_str_eq(tls_engine_sni(pair.server.engine), "imap.example.com");
    cr_expect_not(tls_engine_resumed(pair.server.engine));
    expect_end(&pair.server, TLS_OPEN, TLS_FINE, "");
    cr_expect_not(tls_advance(pair.server.engine, &pair.server.io), "nothing is left to move");
    tlspair_close(&pair);
}

Test(engine, keeps_its_set_alive)
{
    tlspair_open(&pair, bed.set, LIMIT_BUF, 100);
    tls_set_free(&bed.set);
    cr_expect_null(bed.set);
    cr_expect(tlspair_shake(&pair));
    tlspair_close(&pair);
}

/* 16 KiB of plaintext are one record, not several: the overhead on the wire tells. */
Test(engine, writes_full_records)
{
    static const char block[LIMIT_TLS_RECORD];

    meet(LIMIT_BUF);
    for (int i = 0; i < 4; i++)
        cr_assert(buf_append(&pair.server.out, slice_of(block, sizeof(block))));
    tls_advance(pair.server.engine, &pair.server.io);
    cr_expect(buf_empty(&pair.server.out));
    cr_expect_eq(buf_len(&pair.server.wire_out), 4 * (LIMIT_TLS_RECORD + 22));
    tlspair_close(&pair);
}

Test(engine, a_record_waits_while_the_wire_is_nearly_full)
{
    static const char block[LIMIT_TLS_RECORD];
    size_t queued;

    meet(LIMIT_BLOCK_LARGE);
    cr_assert(buf_append(&pair.server.out, slice_of(block, sizeof(block))));
    tls_advance(pair.server.engine, &pair.server.io);
    queued = buf_len(&pair.server.wire_out);
    cr_assert(buf_append(&pair.server.out, slice_of(block, sizeof(block))));
    cr_expect_not(tls_advance(pair.server.engine, &pair.server.io));
    cr_expect_eq(buf_len(&pair.server.wire_out), queued);
    cr_expect_eq(buf_len(&pair.server.out), sizeof(block));
    tlspair_close(&pair);
}

/* OpenSSL holds what it decrypted while the socket is quiet: room is what brings it out. */
Test(engine, t76_leftovers_come_when_there_is_room)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char all[sizeof(text)] = "";
    size_t len = 0;

    meet(LIMIT_BUF);
    pair.server.in.max = 10;
    say(&pair.client, text);
    tlspair_run(&pair);
    cr_expect(buf_empty(&pair.server.wire_in), "the record is inside OpenSSL");
    while (!buf_empty(&pair.server.in)) {
        struct slice got = buf_bytes(&pair.server.in);
        cr_assert(len + got.len < sizeof(all));
        memcpy(all + len, got.ptr, got.len);
        len += got.len;
        buf_drop(&pair.server.in, got.len);
        cr_expect_eq(tls_advance(pair.server.engine, &pair.server.io), len < sizeof(text) - 1);
    }
    cr_expect_str_eq(all, text);
    tlspair_close(&pair);
}

/* The answer to a request for new keys (RFC 8446 section 4.6.3) comes out of a call that reads. */
Test(engine, t76_what_reading_wants_to_write_goes_out)
{
    struct tlsraw raw;
    char got[8];

    tlsraw_client(&raw, &bed);
    tlsraw_meet(&raw, tls_engine_server(bed.set), LIMIT_BUF);
    cr_assert(tlsraw_shake(&raw));
    raw.end.wire_out.max = 3;
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        cr_assert_eq(SSL_do_handshake(raw.ssl), 1);
        tlsraw_carry(&raw);
        say(&raw.end, "* OK\r\n");
        cr_expect_eq(tlsraw_read(&raw, got, sizeof(got)), 6);
    }
    cr_assert_eq(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    cr_assert_eq(SSL_do_handshake(raw.ssl), 1);
    tlsraw_carry(&raw);
    /* With half an answer out there could be no close_notify. */
    tls_finish(raw.end.engine, &raw.end.io);
    cr_expect_eq(tlsraw_read(&raw, got, sizeof(got)), 0);
    cr_expect_eq(SSL_get_error(raw.ssl, 0), SSL_ERROR_ZERO_RETURN);
    tlsraw_close(&raw);
}

/* The queue of errors belongs to the thread: what another connection left there is not ours. */
Test(engine, a_stale_error_in_the_queue_changes_nothing)
{
    /* So few bytes a turn that every read but the last finds half a record. */
    tlspair_open(&pair, bed.set, LIMIT_BUF, 7);
    say(&pair.client, "hello");
    do
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    while (tlspair_turn(&pair));
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    tls_advance(pair.server.engine, &pair.server.io);
    expect_in(&pair.server, "hello");
    expect_end(&pair.server, TLS_OPEN, TLS_FINE, "");
    tlspair_close(&pair);
}

static void clear_text(const char *text, const char *detail)
{
    struct slice alert;

    tlspair_open(&pair, bed.set, LIMIT_BUF, LIMIT_BUF);
    cr_assert(buf_append(&pair.server.wire_in, slice_str(text)));
    cr_expect(tls_advance(pair.server.engine, &pair.server.io));
    expect_end(&pair.server, TLS_FAILED, TLS_PROTOCOL, detail);
    alert = buf_bytes(&pair.server.wire_out);
    cr_expect(alert.len == 0 || (alert.len == 7 && alert.ptr[0] == 21), "an alert, no echo");
    cr_expect(buf_empty(&pair.server.wire_in), "what follows holds no block");
    cr_expect_eq(ERR_peek_error(), 0);
    tls_finish(pair.server.engine, &pair.server.io);
    cr_expect_eq(buf_len(&pair.server.wire_out), alert.len, "nothing follows a fatal error");
    tlspair_close(&pair);
}

Test(engine, t14_clear_text_is_refused_and_not_echoed)
{
    clear_text("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "http request");
    clear_text("a1 LOGIN alice secret\r\n", "wrong version number");
    clear_text("\r\n\r\n\r\n\r\n\r\n\r\n", "wrong version number");
}

Test(engine, a_damaged_record_is_fatal_and_answered)
{
    struct slice bytes;

    meet(LIMIT_BUF);
    say(&pair.client, "a1 NOOP\r\n");
    tls_advance(pair.client.engine, &pair.client.io);
    bytes = buf_bytes(&pair.client.wire_out);
    pair.client.wire_out.base[pair.client.wire_out.tail - 1] ^= 1;
    cr_assert_gt(bytes.len, 0);
    tlspair_run(&pair);
    cr_expect(buf_empty(&pair.server.in));
    expect_end(&pair.server, TLS_FAILED, TLS_PROTOCOL, "decryption failed or bad record mac");
    expect_end(&pair.client, TLS_FAILED, TLS_PROTOCOL, "sslv3 alert bad record mac");
    tlspair_close(&pair);
}

/* Lets every single request for a block fail once, through handshake and transfer. */
Test(engine, short_of_memory_is_a_failure_like_any_other)
{
    long failed = 0, k = 0;
    bool whole = false;

    for (; !whole; k++) {
        tlspair_open(&pair, bed.set, LIMIT_BUF, 700);
        pair.pool.fail_after = k;
        if (tlspair_shake(&pair)) {
            if (buf_append(&pair.client.out, SLICE("a1 NOOP\r\n")))
                tlspair_run(&pair);
            whole = slice_eq(buf_bytes(&pair.server.in), SLICE("a1 NOOP\r\n"));
        }
        failed += tls_engine_failure(pair.client.engine) == TLS_MEMORY ||
                  tls_engine_failure(pair.server.engine) == TLS_MEMORY;
        if (tls_engine_failure(pair.server.engine) == TLS_MEMORY)
            expect_end(&pair.server, TLS_FAILED, TLS_MEMORY, "out of memory");
        tlspair_close(&pair);
        cr_assert_lt(k, 1000);
    }
    cr_expect_gt(failed, 3, "%ld of %ld", failed, k);
}
