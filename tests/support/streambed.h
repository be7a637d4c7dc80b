/*
 * One stream on a real loop with a raw socket at its far end, run as a connection runs it.
 */
#pragma once

#include "waypost/base/pool.h"
#include "waypost/net/stream.h"

struct streambed {
    uv_loop_t loop;
    struct pool pool;
    struct port port;
    struct stream stream;
    uv_timer_t timer; /* wakes a lingering stream at its deadline */
    int peer;         /* non-blocking; -1 once closed */
    unsigned wakes;
    bool idle; /* do not read */
    /* What stands in for the session; true when it moved anything. May be NULL. */
    bool (*work)(struct streambed *bed);
    void *ctx; /* for the test */
};

/* A connected stream. The peer's socket is shrunk if `small`. */
void streambed_open(struct streambed *bed, bool small);
void streambed_run(struct streambed *bed);
/* Turns the loop without waiting, `turns` times. */
void streambed_turn(struct streambed *bed, unsigned turns);
/* Turns it until `done` says so; false after some seconds. */
bool streambed_until(struct streambed *bed, bool (*done)(struct streambed *bed));
/* Hangs up for good and leaves an empty loop and an empty pool behind; aborts if it cannot. */
void streambed_close(struct streambed *bed);
/* Blocks of all classes in use. */
unsigned streambed_blocks(const struct streambed *bed);
/* Moves everything from port.in to port.out. */
bool streambed_echo(struct streambed *bed);
