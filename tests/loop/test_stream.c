/*
 * Streams in clear over real sockets: bytes, blocks, pressure, ends.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/sockets.h"
#include "support/streambed.h"
#include "waypost/base/limits.h"

static char *pattern(size_t len)
{
    char *bytes = malloc(len);

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return bytes;
}

struct exchange {
    const char *bytes;
    char *back;
    size_t len, step, sent, got;
};

static bool exchanged(struct streambed *bed)
{
    struct exchange *x = bed->ctx;
    size_t n = x->len - x->sent < x->step ? x->len - x->sent : x->step;
    ssize_t wrote = send(bed->peer, x->bytes + x->sent, n, MSG_NOSIGNAL);
    long read = receive_some(bed->peer, x->back + x->got, x->len - x->got);

    x->sent += wrote > 0 ? (size_t)wrote : 0;
    x->got += read > 0 ? (size_t)read : 0;
    return x->got == x->len;
}

Test(stream, echoes_in_pieces_of_every_kind)
{
    static const struct {
        size_t len, step;
        bool small;
    } rows[] = {
        {2000, 1, false}, {100000, 333, true}, {3000000, 65536, false}, {150000, 90000, true}};
    char *bytes = pattern(3000000), *back = malloc(3000000);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct streambed bed;
        streambed_open(&bed, rows[i].small);
        bed.work = streambed_echo;
        struct exchange x = {bytes, back, rows[i].len, rows[i].step, 0, 0};
        bed.ctx = &x;
        cr_expect(streambed_until(&bed, exchanged), "row %zu: %zu of %zu", i, x.got, x.len);
        cr_expect_eq(memcmp(back, bytes, x.len), 0, "row %zu", i);
        streambed_turn(&bed, 3);
        cr_expect_eq(streambed_blocks(&bed), 0, "row %zu: an idle stream holds a block", i);
        streambed_close(&bed);
    }
    free(bytes);
    free(back);
}

Test(stream, tunes_its_socket)
{
    struct streambed bed;
    int fd, value = 0;
    socklen_t len = sizeof(value);
    static const struct {
        int level, option, value;
    } rows[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},    {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 120}, {IPPROTO_TCP, TCP_KEEPINTVL, 30},
        {IPPROTO_TCP, TCP_KEEPCNT, 4},    {IPPROTO_TCP, TCP_USER_TIMEOUT, 240000},
    };

    streambed_open(&bed, false);
    cr_assert_eq(uv_fileno((uv_handle_t *)&bed.stream.tcp, &fd), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert_eq(getsockopt(fd, rows[i].level, rows[i].option, &value, &len), 0);
        cr_expect_eq(value, rows[i].value, "row %zu: %d", i, value);
    }
    streambed_close(&bed);
}

/* Offers more whenever nothing is left to send, as a relay does. */
static bool pour(struct streambed *bed)
{
    size_t space;
    char *at;

    if (!bed->port.open || port_unsent(&bed->port) > 0)
        return false;
    at = buf_space(&bed->port.out, LIMIT_BUF, &space);
    cr_assert_not_null(at);
    memset(at, 'x', space);
    buf_commit(&bed->port.out, space);
    *(size_t *)bed->ctx += space;
    return true;
}

static bool stuck(struct streambed *bed)
{
    return port_unsent(&bed->port) > 0;
}

static bool unstuck(struct streambed *bed)
{
    char bytes[65536];

    bed->work = NULL;
    while (receive_some(bed->peer, bytes, sizeof(bytes)) > 0)
        ;
    return port_unsent(&bed->port) == 0;
}

Test(stream, t69_peer_that_stops_reading_pins_one_block)
{
    struct streambed bed;
    size_t poured = 0;

    streambed_open(&bed, true);
    bed.work = pour;
    bed.ctx = &poured;
    cr_assert(streambed_until(&bed, stuck));
    streambed_turn(&bed, 50);
    cr_expect_leq(streambed_blocks(&bed), 1);
    cr_expect_leq(port_unsent(&bed.port), LIMIT_BUF);
    cr_expect_leq(poured, 4 * LIMIT_BUF, "sent %zu to a peer that does not read", poured);
    cr_assert(streambed_until(&bed, unstuck));
    cr_expect_eq(streambed_blocks(&bed), 0);
    streambed_close(&bed);
}

static bool full(struct streambed *bed)
{
    char bytes[65536] = {0};

    return send(bed->peer, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0 && buf_room(&bed->port.in) == 0;
}

/* Nobody takes port.in: it fills, one more read may wait in wire_in, and that is all. */
Test(stream, t69_unread_input_stays_in_the_kernel)
{
    struct streambed bed;

    streambed_open(&bed, true);
    cr_assert(streambed_until(&bed, full));
    streambed_turn(&bed, 50);
    cr_expect_leq(streambed_blocks(&bed), 2);
    cr_expect_not(bed.stream.reading);
    streambed_close(&bed);
}

Test(stream, one_read_a_turn)
{
    struct streambed bed;
    char *bytes = pattern(LIMIT_BUF);
    size_t sent = 0;

    streambed_open(&bed, false);
    bed.work = streambed_echo;
    for (ssize_t n = 0; n >= 0 && sent<8 * LIMIT_BUF; sent += n> 0 ? (size_t)n : 0)
        n = send(bed.peer, bytes, LIMIT_BUF, MSG_NOSIGNAL);
    cr_assert_geq(sent, 3 * LIMIT_BUF, "the kernel takes too little for this test: %zu", sent);
    streambed_run(&bed);
    bed.wakes = 0;
    for (unsigned turn = 1; turn <= 3; turn++) {
        streambed_turn(&bed, 1);
        cr_expect_leq(bed.wakes, turn, "%u reads in %u turns", bed.wakes, turn);
    }
    cr_expect_geq(bed.wakes, 1);
    streambed_close(&bed);
    free(bytes);
}

static bool at_eof(struct streambed *bed)
{
    return bed->port.eof;
}

static bool failed(struct streambed *bed)
{
    return bed->port.failed;
}

static bool gone(struct streambed *bed)
{
    return !bed->port.busy;
}

Test(stream, eof_comes_behind_the_last_byte)
{
    struct streambed bed;

    streambed_open(&bed, false);
    send_all(bed.peer, "last", 4);
    shutdown(bed.peer, SHUT_WR);
    cr_assert(streambed_until(&bed, at_eof));
    cr_expect(slice_eq(buf_bytes(&bed.port.in), SLICE("last")));
    cr_expect_not(bed.port.truncated);
    cr_expect_not(bed.port.failed);
    cr_expect(bed.port.open);
    streambed_close(&bed);
}

static bool half_closed_answer(struct streambed *bed)
{
    if (!bed->port.eof)
        return false;
    bed->work = NULL;
    return buf_append(&bed->port.out, SLICE("bye"));
}

static bool peer_has_bye(struct streambed *bed)
{
    char bytes[8];

    return receive_some(bed->peer, bytes, sizeof(bytes)) == 3 && memcmp(bytes, "bye", 3) == 0;
}

Test(stream, t71_half_closed_peer_is_still_served)
{
    struct streambed bed;

    streambed_open(&bed, false);
    bed.work = half_closed_answer;
    shutdown(bed.peer, SHUT_WR);
    cr_assert(streambed_until(&bed, peer_has_bye));
    streambed_close(&bed);
}

/* The peer said something and is gone; a write finds out first. What it said must still be read. */
Test(stream, t72_failed_write_does_not_hide_unread_input)
{
    struct streambed bed;

    streambed_open(&bed, false);
    bed.idle = true;
    streambed_run(&bed);
    send_all(bed.peer, "* BYE\r\n", 7);
    usleep(10000);
    tcp_reset(bed.peer);
    bed.peer = -1;
    usleep(10000);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert(buf_append(&bed.port.out, SLICE("a NOOP\r\n")));
        streambed_run(&bed);
    }
    cr_expect_neq(bed.stream.write_error, 0, "the write did not fail: this test tests nothing");
    cr_expect_not(bed.port.failed, "failure was declared before the input was read");
    cr_expect_eq(port_unsent(&bed.port), 0, "bytes wait for a peer that is gone");
    bed.idle = false;
    cr_assert(streambed_until(&bed, failed));
    cr_expect(slice_eq(buf_bytes(&bed.port.in), SLICE("* BYE\r\n")));
    cr_expect_eq(bed.port.failure, PORT_IO);
    cr_expect_neq(bed.port.detail[0], '\0');
    streambed_close(&bed);
}

static bool read_to_end(struct streambed *bed)
{
    char bytes[65536];
    long n = receive_some(bed->peer, bytes, sizeof(bytes));
    long *total = bed->ctx;

    cr_assert_neq(n, -2, "a reset destroyed the last bytes");
    *total += n > 0 ? n : 0;
    return n == 0;
}

/* Closing with unread input in the kernel sends a reset, which the peer's kernel answers by
 * throwing away what its program has not read yet. */
Test(stream, t71_hanging_up_does_not_reset_the_last_bytes)
{
    struct streambed bed;
    long total = 0;

    streambed_open(&bed, false);
    bed.idle = true;
    bed.ctx = &total;
    streambed_run(&bed);
    send_all(bed.peer, "a NOOP\r\nb NOOP\r\n", 16);
    usleep(10000);
    cr_assert(buf_append(&bed.port.out, SLICE("* BYE shutting down\r\n")));
    cr_expect(stream_hangup(&bed.stream, 5000));
    cr_expect_not(stream_hangup(&bed.stream, 5000), "hung up twice");
    cr_assert(streambed_until(&bed, read_to_end));
    cr_expect_eq(total, 21);
    cr_expect(bed.port.busy, "closed before the peer did");
    close(bed.peer);
    bed.peer = -1;
    cr_assert(streambed_until(&bed, gone));
    streambed_close(&bed);
}

Test(stream, lingering_ends_at_its_deadline)
{
    struct streambed bed;
    uint64_t began;

    streambed_open(&bed, false);
    streambed_run(&bed);
    began = uv_now(&bed.loop);
    cr_expect(stream_hangup(&bed.stream, 100));
    cr_assert(streambed_until(&bed, gone));
    cr_expect_geq(uv_now(&bed.loop) - began, 100);
    streambed_close(&bed);
}

Test(stream, lingering_flushes_a_full_pipe)
{
    struct streambed bed;
    size_t poured = 0;
    long got = 0;

    streambed_open(&bed, true);
    bed.work = pour;
    bed.ctx = &poured;
    cr_assert(streambed_until(&bed, stuck));
    bed.ctx = &got;
    cr_expect(stream_hangup(&bed.stream, 5000));
    cr_expect(streambed_until(&bed, read_to_end));
    cr_expect_eq((size_t)got, poured);
    streambed_close(&bed);
}

Test(stream, facts_are_forgotten_with_the_connection)
{
    struct streambed bed;

    streambed_open(&bed, false);
    bed.port.remote.port = 7;
    tcp_reset(bed.peer);
    bed.peer = -1;
    cr_assert(streambed_until(&bed, failed));
    cr_expect_not(bed.port.open);
    cr_expect(stream_hangup(&bed.stream, 5000));
    cr_assert(streambed_until(&bed, gone));
    cr_expect_not(bed.port.failed || bed.port.eof || bed.port.open);
    cr_expect_eq(bed.port.detail[0], '\0');
    cr_expect_eq(bed.port.remote.port, 0);
    streambed_close(&bed);
}

Test(stream, reads_fail_when_memory_is_short)
{
    struct streambed bed;

    streambed_open(&bed, false);
    streambed_run(&bed);
    bed.pool.fail_after = 0;
    send_all(bed.peer, "hello", 5);
    cr_assert(streambed_until(&bed, failed));
    cr_expect_eq(bed.port.failure, PORT_MEMORY);
    streambed_close(&bed);
}

/* Without an engine nothing may ever leave in clear once TLS was asked for. */
Test(stream, no_engine_means_no_bytes)
{
    struct streambed bed;
    char bytes[16];

    streambed_open(&bed, false);
    streambed_run(&bed);
    stream_secure(&bed.stream, NULL);
    cr_expect(bed.port.failed);
    cr_expect_eq(bed.port.failure, PORT_MEMORY);
    cr_assert(buf_append(&bed.port.out, SLICE("secret")));
    streambed_run(&bed);
    cr_expect(stream_hangup(&bed.stream, 1000));
    streambed_turn(&bed, 5);
    cr_expect_eq(receive_some(bed.peer, bytes, sizeof(bytes)), 0, "something was sent in clear");
    streambed_close(&bed);
}
