/*
 * Connections on a loop of the test's own thread: the configuration, one backend address to be
 * listened at, and everything a worker would lend.
 */
#pragma once

#include <uv.h>

#include "run/conn.h"
#include "run/seat.h"
#include "support/peer.h"
#include "support/testca.h"
#include "waypost/base/metrics.h"

#define CONNBED_LOG 65536u

struct connbed {
    struct testca ca;
    SSL_CTX *ctx; /* clients; trusts the bed's CA */
    struct tls_tickets *tickets;
    struct generation *generation;
    uv_loop_t loop;
    struct pool pool;
    struct dns dns;
    struct metrics metrics;
    struct fleet fleet; /* the generation has joined it */
    struct registry registry;
    struct seating seating;
    struct log log;
    struct session_env env;
    struct conn_home home;
    unsigned gone;
    unsigned most_blocks; /* in use at once, looked at between turns */
    int listener;         /* the backend's */
    uint16_t port;
    uint16_t front; /* clients connect there, to a worker of the test's; 0: to the bed's own loop */
    uv_mutex_t lock; /* of the log */
    size_t log_len;
    char log_text[CONNBED_LOG];
};

/* `extra` goes into waypost.json, for instance "\"timeouts\": {\"drain\": \"1s\"}"; NULL: nothing.
 * `backend` is the backend's row behind its address, e.g. "\"tls\": \"none\"". */
void connbed_open(struct connbed *bed, const char *extra, const char *backend);
/* Ends every connection; aborts if anything is left over. */
void connbed_close(struct connbed *bed);
void connbed_turn(void *bed);
/* Turns until no connection is left; false after some seconds. */
bool connbed_empties(struct connbed *bed);
/* A client in clear at listener 0 (implicit TLS) or 1 (STARTTLS). */
void connbed_connect(struct connbed *bed, size_t listener, struct peer *client);
/* The connection that the proxy makes to the backend. */
void connbed_accept(struct connbed *bed, struct peer *backend);
/* Writes and loads the configuration anew, for bed->port, with a plain backend. */
void connbed_redirect(struct connbed *bed);
/* Plays a backend that greets and takes the login, whoever it is. */
void connbed_admit(struct peer *backend);
/* A client and a backend in the middle of a relayed session; the client's command tag was "a". */
void connbed_log_in(struct connbed *bed, struct peer *client, struct peer *backend);
/* Whether the log has that text, now or within some seconds. */
bool connbed_logged(struct connbed *bed, const char *text);
/* The same, and never mind what comes later. */
bool connbed_logged_yet(struct connbed *bed, const char *text);
