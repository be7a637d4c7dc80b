/*
 * The limits of users and addresses as sessions of several threads meet them.
 */
#include "run/gate.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/conf_text.h"

static struct conf *conf;
static struct metrics metrics;
static struct gate gate;
static char lines[4096];
static struct str said;

static void keep_line(void *ctx, enum log_level level, struct slice line)
{
    UNUSED(ctx);
    str_addf(&said, "%s %.*s\n", log_level_name[level], SLICE_ARG(line));
}

static void begin(const char *limits, uint64_t sessions)
{
    static const char waypost[] =
        "{\"listeners\": [{\"name\": \"imaps\", \"address\": \"[::]:993\", \"tls\": "
        "\"implicit\"}], \"tls\": {\"certificates\": [{\"chain\": \"c\", \"key\": \"k\"}]}, "
        "\"auth\": {\"penalty\": {\"first\": \"2s\", \"max\": \"15s\"}}, \"limits\": {%s}}";
    struct conf_errors errors = {0};
    char text[1024];
    struct str all = STR_ON(text);

    str_addf(&all, waypost, limits);
    cr_assert(conf_text_load(text, conf_text_routes, NULL, &conf, &errors));
    said = STR_ON(lines);
    cr_assert(gate_init(&gate, sessions, &metrics, keep_line, NULL));
}

static void end(void)
{
    gate_fini(&gate);
    conf_release(&conf);
}

TestSuite(gate);

static enum limited arrive(const char *text, struct gate_pass *pass)
{
    struct addr address = {.port = 9};

    *pass = (struct gate_pass){.exempt = false};
    cr_assert(addr_parse(slice_str(text), &address));
    return gate.view.arrive(gate.view.ctx, conf, &address, pass, 1000);
}

static enum limited admit(const char *user, struct gate_pass *pass)
{
    return gate.view.admit(gate.view.ctx, conf, slice_str(user), pass, 1000);
}

static void leave(struct gate_pass *pass)
{
    gate.view.leave(gate.view.ctx, pass, 1000);
}

static uint64_t failed(const struct gate_pass *pass, const char *user, const char *secret)
{
    return gate.view.failed(gate.view.ctx, conf, pass, slice_str(user), slice_str(secret), 1000);
}

Test(gate, t83_connections_without_login_are_counted_by_address)
{
    struct gate_pass a, b, c;

    begin("\"unauthenticated_per_address\": 2", 10);
    cr_expect_eq(arrive("2001:db8::1", &a), LIMITED_none);
    cr_expect_eq(arrive("2001:db8::2", &b), LIMITED_none);
    cr_expect_eq(arrive("2001:db8::3", &c), LIMITED_unauthenticated_per_address);
    leave(&c);
    cr_expect_eq(arrive("2001:db8::3", &c), LIMITED_unauthenticated_per_address, "held nothing");
    cr_expect_eq(arrive("2001:db8:0:1::3", &c), LIMITED_none, "another network");
    leave(&c);
    cr_expect_eq(admit("u", &a), LIMITED_none);
    cr_expect_eq(arrive("2001:db8::4", &c), LIMITED_none, "the first has logged in");
    leave(&a);
    leave(&a);
    leave(&b);
    leave(&c);
    cr_expect_eq(metric_get(&metrics.limited[LIMITED_unauthenticated_per_address]), 2);
    cr_expect_str_eq(lines,
                     "warn event=limited limit=unauthenticated_per_address "
                     "client=2001:db8::3 connections=1\n",
                     "one line for many");
    end();
}

Test(gate, sessions_are_counted_by_user_by_address_and_by_both)
{
    static const struct {
        const char *address, *user;
        enum limited limited;
    } rows[] = {
        {"192.0.2.1", "alice", LIMITED_none},
        {"192.0.2.1", "alice", LIMITED_none},
        {"192.0.2.1", "alice", LIMITED_sessions_per_user_and_address},
        {"192.0.2.2", "alice", LIMITED_none},
        {"192.0.2.3", "alice", LIMITED_sessions_per_user},
        {"192.0.2.1", "bob", LIMITED_none},
        {"192.0.2.1", "carol", LIMITED_none},
        {"192.0.2.1", "dave", LIMITED_sessions_per_address},
        {"192.0.2.9", "dave", LIMITED_none},
        {"192.0.2.8", "alice", LIMITED_sessions_per_user},
    };
    struct gate_pass pass[COUNT_OF(rows)];

    begin("\"sessions_per_user\": 3, \"sessions_per_user_and_address\": 2, "
          "\"sessions_per_address\": 4",
          10);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            cr_expect_eq(arrive(rows[i].address, &pass[i]), LIMITED_none);
            cr_expect_eq(admit(rows[i].user, &pass[i]), rows[i].limited, "round %u, row %zu", round,
                         i);
        }
        for (size_t i = 0; i < COUNT_OF(rows); i++)
            leave(&pass[i]);
    }
    for (size_t i = 0; i < GATE_SHARDS; i++)
        cr_expect_eq(gate.shards[i].crowd.table.count, 0, "shard %zu", i);
    cr_expect_str_eq(lines,
                     "warn event=limited limit=sessions_per_user_and_address user=alice "
                     "client=192.0.2.1 logins=1\n"
                     "warn event=limited limit=sessions_per_user user=alice client=192.0.2.3 "
                     "logins=1\n"
                     "warn event=limited limit=sessions_per_address user=dave client=192.0.2.1 "
                     "logins=1\n",
                     "one line for each limit");
    end();
}

Test(gate, trusted_addresses_and_balancers_are_exempt)
{
    struct addr balancer = {.port = 1};
    struct gate_pass pass, more;

    begin("\"unauthenticated_per_address\": 1, \"sessions_per_address\": 1, "
          "\"sessions_per_user_and_address\": 1, \"logins_per_minute_per_address\": 1, "
          "\"sessions_per_user\": 2, \"trusted\": [\"198.51.100.0/24\"]",
          10);
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_eq(arrive("198.51.100.7", &pass), LIMITED_none);
        cr_expect_eq(gate.view.attempt(&gate, conf, &pass, 0), LIMITED_none);
        cr_expect_eq(failed(&pass, "u", "a"), 0);
        cr_expect_eq(admit("u", &pass), i < 2 ? LIMITED_none : LIMITED_sessions_per_user);
    }
    cr_assert(addr_parse(SLICE("192.0.2.1"), &balancer));
    for (unsigned i = 0; i < 3; i++) {
        pass = (struct gate_pass){.exempt = true};
        cr_expect_eq(gate.view.arrive(&gate, conf, &balancer, &pass, 0), LIMITED_none);
    }
    cr_expect_eq(arrive("192.0.2.9", &pass), LIMITED_none);
    cr_expect_eq(arrive("192.0.2.9", &more), LIMITED_unauthenticated_per_address);
    end();
}

Test(gate, t51_penalties_grow_across_connections_and_end_with_a_success)
{
    struct gate_pass a, b, other;

    begin("", 10);
    cr_expect_eq(arrive("192.0.2.1", &a), LIMITED_none);
    cr_expect_eq(arrive("192.0.2.1", &b), LIMITED_none);
    cr_expect_eq(arrive("192.0.2.2", &other), LIMITED_none);
    cr_expect_eq(failed(&a, "u", "old"), 2000);
    cr_expect_eq(failed(&a, "u", "old"), 2000, "the same once more");
    cr_expect_eq(failed(&b, "u", "old"), 2000, "also on another connection");
    cr_expect_eq(failed(&b, "u", "x"), 4000);
    cr_expect_eq(failed(&a, "v", "x"), 8000, "the same secret of another user");
    cr_expect_eq(failed(&a, "v", ""), 15000);
    cr_expect_eq(failed(&other, "v", "x"), 2000, "another address");
    cr_expect_eq(admit("w", &b), LIMITED_none);
    cr_expect_eq(failed(&a, "u", "old"), 2000);
    end();
}

Test(gate, attempts_are_counted_by_address)
{
    struct gate_pass a, b;

    begin("\"logins_per_minute_per_address\": 2", 10);
    cr_expect_eq(arrive("192.0.2.1", &a), LIMITED_none);
    cr_expect_eq(arrive("192.0.2.1", &b), LIMITED_none);
    cr_expect_eq(gate.view.attempt(&gate, conf, &a, 0), LIMITED_none);
    cr_expect_eq(gate.view.attempt(&gate, conf, &b, 0), LIMITED_none);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(gate.view.attempt(&gate, conf, &a, i * GATE_LOG_EVERY_MS / 2),
                     LIMITED_logins_per_minute_per_address);
    cr_expect_str_eq(lines,
                     "warn event=limited limit=logins_per_minute_per_address client=192.0.2.1 "
                     "logins=1\n"
                     "warn event=limited limit=logins_per_minute_per_address client=192.0.2.1 "
                     "logins=2\n",
                     "with those since the last line");
    cr_expect_eq(gate.view.attempt(&gate, conf, &a, 120000), LIMITED_none);
    end();
}

Test(gate, t81_more_sessions_than_entries_refuses_nobody_and_is_said_once)
{
    static struct gate_pass passes[40000];

    begin("\"unauthenticated_per_address\": 0", 1);
    for (size_t i = 0; i < COUNT_OF(passes); i++) {
        char user[32];
        struct str text = STR_ON(user);
        str_addf(&text, "user%zu", i);
        cr_assert_eq(arrive("192.0.2.1", &passes[i]), LIMITED_none);
        cr_assert_eq(admit(user, &passes[i]), LIMITED_none);
    }
    for (size_t i = 0; i < COUNT_OF(passes); i++)
        leave(&passes[i]);
    cr_expect_not_null(strstr(lines, "event=limits_untracked"));
    cr_expect_null(strstr(strstr(lines, "event=limits_untracked") + 1, "event="));
    end();
}

/* --- threads ---------------------------------------------------------------------------------- */

#define THREADS  4u
#define SESSIONS 10u /* at most at the same time */

static atomic_uint open_now, most, admitted;

static void visit(void *arg)
{
    char user[8];

    for (unsigned i = 0; i < 3000; i++) {
        struct gate_pass pass;
        cr_assert_eq(arrive("192.0.2.1", &pass), LIMITED_none);
        snprintf(user, sizeof(user), "u%u", i % 3);
        failed(&pass, user, i % 2 == 0 ? "a" : user);
        if (admit(user, &pass) == LIMITED_none) {
            unsigned now = atomic_fetch_add(&open_now, 1) + 1, before = atomic_load(&most);
            while (before < now && !atomic_compare_exchange_weak(&most, &before, now))
                continue;
            atomic_fetch_add(&admitted, 1);
            if (*(unsigned *)arg % 2 == 0)
                uv_sleep(0);
            atomic_fetch_sub(&open_now, 1);
        }
        leave(&pass);
    }
}

Test(gate, threads_share_the_counts)
{
    unsigned numbers[THREADS];
    uv_thread_t threads[THREADS];
    struct gate_pass pass[2];

    begin("\"sessions_per_address\": 2", SESSIONS);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        cr_assert_eq(uv_thread_create(&threads[i], visit, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    cr_expect_leq(atomic_load(&most), 2);
    cr_expect_geq(atomic_load(&admitted), 3000);
    for (unsigned i = 0; i < 2; i++) {
        cr_expect_eq(arrive("192.0.2.1", &pass[i]), LIMITED_none);
        cr_expect_eq(admit("x", &pass[i]), LIMITED_none, "all have left");
    }
    end();
}
