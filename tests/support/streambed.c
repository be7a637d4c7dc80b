/*
 * Runs a stream the way run/conn does, without a session. Owns loop, pool, port and both sockets.
 */
#include "support/streambed.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/sockets.h"
#include "waypost/base/check.h"
#include "waypost/base/limits.h"

#define PATIENCE_MS 10000u

static void on_wake(void *ctx)
{
    struct streambed *bed = ctx;

    bed->wakes++;
    streambed_run(bed);
}

static void on_timer(uv_timer_t *timer)
{
    on_wake(container_of(timer, struct streambed, timer));
}

void streambed_open(struct streambed *bed, bool small)
{
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    memset(bed, 0, sizeof(*bed));
    uv_loop_init(&bed->loop);
    uv_timer_init(&bed->loop, &bed->timer);
    pool_init(&bed->pool);
    buf_init(&bed->port.in, &bed->pool, LIMIT_BUF);
    buf_init(&bed->port.out, &bed->pool, LIMIT_BUF);
    tcp_pair(fds);
    if (small) {
        tcp_shrink(fds[0]);
        tcp_shrink(fds[1]);
    }
    bed->peer = fds[1];
    stream_init(&bed->stream, &bed->loop, &bed->pool, &bed->port, on_wake, bed);
    stream_open(&bed->stream, fds[0], 120000);
}

void streambed_run(struct streambed *bed)
{
    bool moved;

    stream_expire(&bed->stream, uv_now(&bed->loop));
    do {
        moved = stream_pump(&bed->stream);
        if (bed->work != NULL && bed->port.busy)
            moved |= bed->work(bed);
        if (!moved)
            moved = !stream_settle(&bed->stream, !bed->idle);
    } while (moved);
    if (bed->stream.deadline != STREAM_NEVER)
        uv_timer_start(&bed->timer, on_timer, bed->stream.deadline - uv_now(&bed->loop), 0);
    else if (!uv_is_closing((uv_handle_t *)&bed->timer))
        uv_timer_stop(&bed->timer);
}

void streambed_turn(struct streambed *bed, unsigned turns)
{
    while (turns-- > 0)
        uv_run(&bed->loop, UV_RUN_NOWAIT);
}

bool streambed_until(struct streambed *bed, bool (*done)(struct streambed *bed))
{
    uint64_t end = uv_hrtime() / 1000000 + PATIENCE_MS;

    streambed_run(bed);
    while (!done(bed)) {
        if (uv_hrtime() / 1000000 > end)
            return false;
        uv_run(&bed->loop, UV_RUN_NOWAIT);
        usleep(100);
    }
    return true;
}

unsigned streambed_blocks(const struct streambed *bed)
{
    unsigned blocks = 0;

    for (unsigned c = 0; c < POOL_CLASSES; c++)
        blocks += bed->pool.taken[c];
    return blocks;
}

bool streambed_echo(struct streambed *bed)
{
    return buf_move(&bed->port.out, &bed->port.in, buf_len(&bed->port.in)) > 0;
}

void streambed_close(struct streambed *bed)
{
    bed->work = NULL;
    (void)stream_hangup(&bed->stream, 0);
    uv_close((uv_handle_t *)&bed->timer, NULL);
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    buf_fini(&bed->port.in);
    buf_fini(&bed->port.out);
    if (bed->port.busy || uv_loop_close(&bed->loop) != 0 || streambed_blocks(bed) != 0) {
        fprintf(stderr, "streambed: something is left over\n");
        abort();
    }
    pool_fini(&bed->pool);
    if (bed->peer >= 0)
        close(bed->peer);
}
