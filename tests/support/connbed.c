/*
 * A worker without a thread. Owns all of it; aborts when set-up fails.
 */
#include "support/connbed.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/sockets.h"

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "connbed: %s\n", what);
    abort();
}

static void sink(void *ctx, enum log_level level, struct slice line)
{
    struct connbed *bed = ctx;
    struct str text = {bed->log_text, sizeof(bed->log_text), 0, false};

    UNUSED(level);
    uv_mutex_lock(&bed->lock);
    text.len = bed->log_len;
    str_add(&text, line);
    str_addc(&text, '\n');
    bed->log_len = text.len;
    uv_mutex_unlock(&bed->lock);
}

static void on_gone(struct conn_home *home)
{
    container_of(home, struct connbed, home)->gone++;
}

static void disturb(void *ctx)
{
    struct connbed *bed = ctx;

    conns_review(&bed->home);
}

static void write_conf(struct connbed *bed, const char *extra, const char *backend)
{
    char text[4096];

    snprintf(text, sizeof(text),
             "{\"hostname\": \"proxy.test\", \"routing_table\": \"routes.json\","
             " \"listeners\": [{\"name\": \"imaps\", \"address\": \"127.0.0.1:993\","
             "  \"tls\": \"implicit\"},"
             "  {\"name\": \"imap\", \"address\": \"127.0.0.1:143\", \"tls\": \"starttls\"}],"
             " \"tls\": {\"certificates\": [{\"chain\": \"server.pem\", \"key\": \"server.key\"}]}"
             "%s%s}",
             extra == NULL ? "" : ", ", extra == NULL ? "" : extra);
    testca_write(&bed->ca, "waypost.json", text, strlen(text));
    snprintf(text, sizeof(text),
             "{\"backends\": {\"b1\": {\"address\": \"127.0.0.1:%u\", %s}},"
             " \"routes\": [{\"to\": \"b1\"}]}",
             bed->port, backend);
    testca_write(&bed->ca, "routes.json", text, strlen(text));
}

static void load(struct connbed *bed)
{
    struct conf_errors errors = {NULL, 0};
    bool good = generation_load(testca_path(&bed->ca, "waypost.json"), &bed->tickets, NULL,
                                &bed->generation, &errors);

    for (size_t i = 0; i < errors.count; i++)
        fprintf(stderr, "%s: %s\n", errors.list[i].pointer, errors.list[i].text);
    must(good, "the configuration does not load");
    must(generation_join(bed->generation, &bed->fleet), "fleet");
}

void connbed_open(struct connbed *bed, const char *extra, const char *backend)
{
    signal(SIGPIPE, SIG_IGN);
    memset(bed, 0, sizeof(*bed));
    testca_open(&bed->ca);
    testca_issue(&bed->ca, &(struct testca_leaf){.file = "server", .names = "proxy.test"});
    bed->listener = tcp_listen(8, &bed->port);
    write_conf(bed, extra, backend);
    must(uv_mutex_init(&bed->lock) == 0 && fleet_init(&bed->fleet, sink, bed, NULL, NULL), "locks");
    load(bed);
    bed->ctx = SSL_CTX_new(TLS_client_method());
    must(SSL_CTX_load_verify_file(bed->ctx, testca_path(&bed->ca, "ca.pem")) == 1, "ca.pem");
    SSL_CTX_set_verify(bed->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(bed->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    must(uv_loop_init(&bed->loop) == 0, "loop");
    pool_init(&bed->pool);
    dns_init(&bed->dns, &bed->loop);
    bed->log = (struct log){LEVEL_DEBUG, FORMAT_TEXT, sink, bed};
    bed->env = (struct session_env){.log = &bed->log, .metrics = &bed->metrics, .pool = &bed->pool};
    bed->home = (struct conn_home){.loop = &bed->loop,
                                   .env = &bed->env,
                                   .dns = &bed->dns,
                                   .seating = &bed->seating,
                                   .gone = on_gone};
    must(registry_init(&bed->registry, 100, disturb, bed), "registry");
    bed->seating = (struct seating){&bed->fleet, &bed->registry};
    list_init(&bed->home.conns);
    list_init(&bed->home.early);
}

void connbed_redirect(struct connbed *bed)
{
    generation_release(&bed->generation);
    write_conf(bed, NULL, "\"tls\": \"none\"");
    load(bed);
}

void connbed_turn(void *ctx)
{
    struct connbed *bed = ctx;
    unsigned blocks = 0;

    if (uv_run(&bed->loop, UV_RUN_NOWAIT) == 0)
        usleep(100);
    for (unsigned c = 0; c < POOL_CLASSES; c++)
        blocks += bed->pool.taken[c];
    bed->most_blocks = blocks > bed->most_blocks ? blocks : bed->most_blocks;
}

bool connbed_empties(struct connbed *bed)
{
    uint64_t end = uv_hrtime() + PEER_PATIENCE_MS * 1000000ull;

    while (bed->home.count > 0 && uv_hrtime() < end)
        connbed_turn(bed);
    return bed->home.count == 0;
}

void connbed_close(struct connbed *bed)
{
    conns_abort(&bed->home);
    dns_close(&bed->dns);
    uv_run(&bed->loop, UV_RUN_DEFAULT);
    dns_fini(&bed->dns);
    must(bed->home.count == 0 && list_empty(&bed->home.conns), "a connection is left over");
    must(metric_get(&bed->metrics.sessions_open) == 0, "the gauge of sessions is off");
    must(metric_get(&bed->metrics.sessions_early) == 0, "the gauge of those without login is off");
    must(metric_get(&bed->metrics.sessions_relaying) == 0, "the gauge of relaying sessions is off");
    must(uv_loop_close(&bed->loop) == 0, "the loop is not empty");
    pool_fini(&bed->pool);
    must(atomic_load(&bed->generation->references) == 1, "somebody kept the configuration");
    generation_release(&bed->generation);
    registry_fini(&bed->registry);
    fleet_fini(&bed->fleet);
    uv_mutex_destroy(&bed->lock);
    tls_tickets_free(&bed->tickets);
    SSL_CTX_free(bed->ctx);
    if (bed->listener >= 0)
        close(bed->listener);
    testca_close(&bed->ca);
}

void connbed_connect(struct connbed *bed, size_t listener, struct peer *client)
{
    struct addr remote = {.port = 1};
    int fds[2];

    if (bed->front != 0) {
        peer_open(client, tcp_connect(bed->front), connbed_turn, bed);
        return;
    }
    tcp_pair(fds);
    must(addr_parse(SLICE("127.0.0.1"), &remote), "address");
    must(conn_accept(&bed->home, bed->generation, &bed->generation->conf->listeners[listener],
                     fds[0], &remote),
         "conn_accept");
    peer_open(client, fds[1], connbed_turn, bed);
}

void connbed_accept(struct connbed *bed, struct peer *backend)
{
    uint64_t end = uv_hrtime() + PEER_PATIENCE_MS * 1000000ull;
    int fd = -1;

    while (fd < 0 && uv_hrtime() < end) {
        connbed_turn(bed);
        fd = accept4(bed->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    must(fd >= 0, "the proxy did not dial");
    peer_open(backend, fd, connbed_turn, bed);
}

void connbed_admit(struct peer *backend)
{
    char line[256], reply[512];

    peer_say(backend, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN IDLE] ready\r\n");
    must(peer_hears_line(backend, line, sizeof(line)), "no login");
    must(strstr(line, " AUTHENTICATE PLAIN ") != NULL, line);
    *strchr(line, ' ') = '\0';
    snprintf(reply, sizeof(reply), "%s OK [CAPABILITY IMAP4rev1 IDLE] in\r\n", line);
    peer_say(backend, reply);
}

void connbed_log_in(struct connbed *bed, struct peer *client, struct peer *backend)
{
    connbed_connect(bed, 0, client);
    must(peer_secure(client, bed->ctx, "proxy.test"), "handshake");
    must(peer_hears(client, "* OK "), "greeting");
    peer_say(client, "a LOGIN alice@example.org sesame\r\n");
    connbed_accept(bed, backend);
    connbed_admit(backend);
    must(peer_hears(client, "a OK "), "login");
    must(peer_hears(client, "\r\n"), "end of login");
}

bool connbed_logged_yet(struct connbed *bed, const char *text)
{
    bool found;

    uv_mutex_lock(&bed->lock);
    found = strstr(bed->log_text, text) != NULL;
    uv_mutex_unlock(&bed->lock);
    return found;
}

bool connbed_logged(struct connbed *bed, const char *text)
{
    uint64_t end = uv_hrtime() + PEER_PATIENCE_MS * 1000000ull;

    while (!connbed_logged_yet(bed, text)) {
        if (uv_hrtime() > end)
            return false;
        connbed_turn(bed);
    }
    return true;
}
