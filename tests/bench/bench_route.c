/*
 * What routing costs: loading a million users, their memory, a decision by each kind of rule. Not
 * a test: it prints numbers and judges nothing. Run by `make bench`, or with a number of users.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/conf_text.h"
#include "waypost/route/hash.h"
#include "waypost/route/route.h"

#define USERS     1000000u
#define DECISIONS 1000000u

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static struct slice user_name(size_t i, char storage[32])
{
    int len = snprintf(storage, 32, "user%zu@example.net", i);
    return slice_of(storage, (size_t)len);
}

/* A member of a JSON object for each user behind `begin`, or without it a line of a users file. The
 * caller frees it. */
static char *users_text(const char *begin, size_t users)
{
    size_t size = users * 48 + (begin == NULL ? 0 : strlen(begin)) + 8;
    char *storage = malloc(size);

    ENSURE(storage != NULL);
    struct str text = str_on(storage, size);
    str_add(&text, slice_str(begin));
    for (size_t i = 0; i < users && begin == NULL; i++)
        str_addf(&text, "user%zu@example.net\timap%zu\n", i, i % 10);
    for (size_t i = 0; i < users && begin != NULL; i++)
        str_addf(&text, "%s\"user%zu@example.net\": \"imap%zu\"", i == 0 ? "" : ",", i, i % 10);
    str_add(&text, begin == NULL ? SLICE("") : SLICE("}}]}"));
    ENSURE(!text.overflow);
    return storage;
}

/* Ten backends and a pool of them, then `routes`. */
static void table_text(struct str *out, const char *choose, const char *routes)
{
    str_add(out, SLICE("{\"backends\": {"));
    for (unsigned i = 0; i < 10; i++)
        str_addf(out, "%s\"imap%u\": {\"address\": \"imap%u.example:993\", \"tls\": \"implicit\"}",
                 i == 0 ? "" : ", ", i, i);
    str_add(out, SLICE("}, \"pools\": {\"mail\": {\"members\": {"));
    for (unsigned i = 0; i < 10; i++)
        str_addf(out, "%s\"imap%u\": 100", i == 0 ? "" : ", ", i);
    str_addf(out, "}, \"choose\": \"%s\"}}, \"routes\": [%s", choose, routes);
}

static struct conf *load(const char *routes, const char *users, const char *what, size_t count)
{
    struct conf_errors errors = {0};
    struct conf *conf = NULL;
    size_t before = allocated();
    double begin = seconds();

    if (!conf_text_load(conf_text_waypost, routes, users, &conf, &errors)) {
        fprintf(stderr, "bench_route: %s\n", errors.list[0].text);
        exit(1);
    }
    if (count > 0)
        printf("%-28s %8.2f s to load  %8.1f bytes a user\n", what, seconds() - begin,
               (double)(allocated() - before) / (double)count);
    return conf;
}

/* A loop that does everything but decide tells what the names cost. */
static void decide(const struct conf *conf, const char *what, size_t users)
{
    char storage[32];
    struct route_decision d;
    size_t sum = 0, found = 0;
    double begin = seconds();
    struct addr client;

    ENSURE(addr_parse(SLICE("2001:db8::5678"), &client));
    for (size_t i = 0; i < DECISIONS; i++)
        sum += user_name(i * 7919 % users, storage).len;
    double names = seconds() - begin;
    begin = seconds();
    for (size_t i = 0; i < DECISIONS; i++) {
        struct route_query query = {
            .user = user_name(i * 7919 % users, storage), .client = &client, .turn = i};
        route_decide(conf->routes, &query, &d, NULL, NULL);
        found += d.candidate_count;
    }
    printf("%-28s %8.0f ns a decision  (%zu candidates each)\n", what,
           (seconds() - begin - names) * 1e9 / DECISIONS, found / DECISIONS);
    ENSURE(sum > 0);
}

static void bench_rule(const char *what, const char *choose, const char *rules, size_t users)
{
    char storage[8192];
    struct str text = STR_ON(storage);

    table_text(&text, choose, rules);
    str_add(&text, SLICE("]}"));
    ENSURE(!text.overflow);
    struct conf *conf = load(storage, "", what, 0);
    decide(conf, what, users);
    conf_release(&conf);
}

static void bench_users(size_t users)
{
    char storage[8192];
    struct str text = STR_ON(storage);
    char *lines = users_text(NULL, users);

    table_text(&text, "first", "{\"users_file\": \"users.tsv\"}]}");
    struct conf *conf = load(storage, lines, "users_file", users);
    decide(conf, "users_file", users);
    conf_release(&conf);
    free(lines);

    text = STR_ON(storage);
    table_text(&text, "first", "{\"users\": {");
    char *whole = users_text(storage, users);
    conf = load(whole, "", "users in routes.json", users);
    decide(conf, "users in routes.json", users);
    conf_release(&conf);
    free(whole);
}

int main(int argc, char *argv[])
{
    size_t users = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : USERS;

    if (users == 0) {
        fprintf(stderr, "usage: bench_route [USERS]\n");
        return 64;
    }
    printf("%zu users, ten backends, CPU time\n", users);
    bench_users(users);
    bench_rule("to a backend", "first", "{\"to\": \"imap0\"}", users);
    bench_rule("pool, first", "first", "{\"to\": \"mail\"}", users);
    bench_rule("pool, round-robin", "round-robin", "{\"to\": \"mail\"}", users);
    bench_rule("pool, user-hash", "user-hash", "{\"to\": \"mail\"}", users);
    bench_rule("a percentage, then a backend", "first",
               "{\"percent\": 0, \"to\": \"imap1\"}, {\"to\": \"imap0\"}", users);
    bench_rule("a network, then a backend", "first",
               "{\"client\": [\"192.0.2.0/24\"], \"to\": \"imap1\"}, {\"to\": \"imap0\"}", users);
    bench_rule("a pattern, then a backend", "first",
               "{\"user\": \"(.*)[.](.*)@example[.]net\", \"deny\": true}, {\"to\": \"imap0\"}",
               users);
    return 0;
}
