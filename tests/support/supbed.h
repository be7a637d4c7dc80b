/*
 * A whole proxy with two workers, whose supervisor runs on the test's own thread, before the
 * backend of a connbed.
 */
#pragma once

#include "run/supervisor_state.h"
#include "support/connbed.h"

#define SUPBED_PORTS 3

struct supbed {
    struct connbed conns; /* for its files, its backend and its client context */
    struct supervisor s;
    uint16_t ports[SUPBED_PORTS];
    int holders[SUPBED_PORTS]; /* keep the ports ours without listening there */
};

/* A listener of the configuration. */
struct supbed_way {
    const char *name;
    unsigned port;          /* index of ports */
    const char *tls, *more; /* `more` is JSON behind "tls" */
};

/* The only one that is there at the start: implicit TLS at the first port. */
extern const struct supbed_way supbed_imaps;

/* Starts it; it logs to "proxy.log". */
void supbed_open(struct supbed *bed);
/* Ends it, unless it has, and frees everything. */
void supbed_close(struct supbed *bed);
/* Writes waypost.json anew. `extra` is JSON before everything else; NULL: two workers. */
void supbed_write(struct supbed *bed, const struct supbed_way *ways, size_t count,
                  const char *extra);
/* Turns the supervisor's loop until no reload is under way. */
void supbed_settle(struct supbed *bed);
/* Reloads; whether that is in force. */
bool supbed_reload(struct supbed *bed);
/* How often the log has that text by now. */
unsigned supbed_logged(struct supbed *bed, const char *text);
