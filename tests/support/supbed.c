/*
 * Owns the supervisor and its bed. What cannot be set up fails the test.
 */
#include "support/supbed.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/startup.h"
#include "support/sockets.h"

const struct supbed_way supbed_imaps = {"imaps", 0, "implicit", ""};

void supbed_write(struct supbed *bed, const struct supbed_way *ways, size_t count,
                  const char *extra)
{
    char text[4096], storage[2048];
    struct str listeners = STR_ON(storage);

    for (size_t i = 0; i < count; i++)
        str_addf(
            &listeners, "%s{\"name\": \"%s\", \"address\": \"127.0.0.1:%u\", \"tls\": \"%s\"%s}",
            i > 0 ? ", " : "", ways[i].name, bed->ports[ways[i].port], ways[i].tls, ways[i].more);
    snprintf(
        text, sizeof(text),
        "{%s, \"hostname\": \"proxy.test\", \"log\": {\"to\": \"proxy.log\"},"
        " \"probe\": {\"interval\": \"0s\"}, \"listeners\": [%s],"
        " \"tls\": {\"certificates\": [{\"chain\": \"server.pem\", \"key\": \"server.key\"}]}}",
        extra == NULL ? "\"workers\": 2" : extra, storage);
    testca_write(&bed->conns.ca, "waypost.json", text, strlen(text));
}

void supbed_open(struct supbed *bed)
{
    connbed_open(&bed->conns, NULL, "\"tls\": \"none\"");
    for (size_t i = 0; i < SUPBED_PORTS; i++)
        bed->holders[i] = tcp_reserve(&bed->ports[i]);
    bed->conns.front = bed->ports[0];
    supbed_write(bed, &supbed_imaps, 1, NULL);
    supervisor_open(&bed->s, testca_path(&bed->conns.ca, "waypost.json"), NULL);
    cr_assert_eq(startup(&bed->s), SUPERVISOR_CLEAN);
    startup_ready(&bed->s);
}

void supbed_close(struct supbed *bed)
{
    if (!bed->s.draining) {
        raise(SIGTERM);
        uv_run(&bed->s.loop, UV_RUN_DEFAULT);
    }
    supervisor_close(&bed->s);
    for (size_t i = 0; i < SUPBED_PORTS; i++)
        close(bed->holders[i]);
    unlink(testca_path(&bed->conns.ca, "proxy.log"));
    connbed_close(&bed->conns);
}

void supbed_settle(struct supbed *bed)
{
    do
        uv_run(&bed->s.loop, UV_RUN_ONCE);
    while (bed->s.reloader.loading);
}

bool supbed_reload(struct supbed *bed)
{
    uint64_t tries = bed->s.reloader.report.tries;

    cr_assert(reload_request(&bed->s, "test", NULL));
    supbed_settle(bed);
    cr_assert_eq(bed->s.reloader.report.tries, tries + 1);
    return bed->s.reloader.report.successful;
}

unsigned supbed_logged(struct supbed *bed, const char *text)
{
    static char content[65536];
    FILE *file = fopen(testca_path(&bed->conns.ca, "proxy.log"), "r");
    size_t len = file == NULL ? 0 : fread(content, 1, sizeof(content) - 1, file);
    unsigned times = 0;

    if (file != NULL)
        fclose(file);
    content[len] = '\0';
    for (const char *at = content; (at = strstr(at, text)) != NULL; at++)
        times++;
    return times;
}
