/*
 * The name cache, with a resolver and a clock of the test's own.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "support/resolver.h"
#include "waypost/net/dns.h"

static uint64_t clock_ms = 1000;

/* In place of libuv's: the cache has no other clock. */
uint64_t uv_now(const uv_loop_t *loop)
{
    (void)loop;
    return clock_ms;
}

struct asker {
    struct dns_query query;
    unsigned told;
    const char *error;
};

static struct dns dns;

static void on_found(struct dns_query *q, const char *error)
{
    struct asker *asker = container_of(q, struct asker, query);

    asker->told++;
    asker->error = error;
}

static enum dns_result ask(struct asker *asker, const char *host)
{
    *asker = (struct asker){.told = 0};
    return dns_ask(&dns, host, &asker->query, on_found);
}

static void expect_address(const struct asker *asker, size_t i, const char *text)
{
    char got[ADDR_TEXT];

    cr_assert_lt(i, asker->query.answer.count);
    addr_format(&asker->query.answer.list[i], false, got);
    cr_expect_str_eq(got, text);
}

/* One look-up of "imap.test" that says 127.0.0.1, now. */
static void learn(struct asker *asker)
{
    resolver.addresses[0] = "127.0.0.1";
    cr_assert_eq(ask(asker, "imap.test"), DNS_WAIT);
    resolver_answer();
    cr_assert_eq(asker->told, 1);
    cr_assert_null(asker->error);
}

static void setup(void)
{
    memset(&resolver, 0, sizeof(resolver));
    dns_init(&dns, NULL);
}

static void teardown(void)
{
    dns_close(&dns);
    if (resolver.pending != NULL)
        resolver_answer();
    dns_fini(&dns);
}

TestSuite(dns, .init = setup, .fini = teardown);

Test(dns, numeric_hosts_need_no_look_up)
{
    struct asker asker;

    cr_expect_eq(ask(&asker, "127.0.0.9"), DNS_ANSWER);
    expect_address(&asker, 0, "127.0.0.9");
    cr_expect_eq(ask(&asker, "::1"), DNS_ANSWER);
    expect_address(&asker, 0, "::1");
    cr_expect_eq(resolver.asked, 0);
}

Test(dns, t84_answers_are_kept_for_a_while)
{
    struct asker asker;

    learn(&asker);
    expect_address(&asker, 0, "127.0.0.1");
    clock_ms += DNS_TTL_MS - 1;
    cr_expect_eq(ask(&asker, "imap.test"), DNS_ANSWER);
    expect_address(&asker, 0, "127.0.0.1");
    cr_expect_eq(resolver.asked, 1);
    clock_ms += 1;
    resolver.addresses[0] = "127.0.0.2";
    cr_expect_eq(ask(&asker, "imap.test"), DNS_WAIT, "an answer was kept for ever");
    resolver_answer();
    expect_address(&asker, 0, "127.0.0.2");
}

Test(dns, t84_askers_share_one_look_up)
{
    struct asker askers[3];

    resolver.addresses[0] = "127.0.0.1";
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(ask(&askers[i], "imap.test"), DNS_WAIT);
    cr_expect_eq(resolver.asked, 1);
    dns_forget(&askers[1].query);
    resolver_answer();
    cr_expect_eq(askers[0].told, 1);
    cr_expect_eq(askers[1].told, 0, "told after it was forgotten");
    cr_expect_eq(askers[2].told, 1);
    expect_address(&askers[2], 0, "127.0.0.1");
    dns_forget(&askers[1].query);
}

Test(dns, t84_last_good_answer_survives_a_failed_look_up)
{
    struct asker asker;

    learn(&asker);
    clock_ms += DNS_TTL_MS;
    resolver.status = UV_EAI_AGAIN;
    cr_assert_eq(ask(&asker, "imap.test"), DNS_WAIT);
    resolver_answer();
    cr_expect_null(asker.error);
    expect_address(&asker, 0, "127.0.0.1");
    cr_expect_eq(ask(&asker, "imap.test"), DNS_WAIT, "a stale answer was taken for a fresh one");
    resolver_answer();
    resolver.refuse = true;
    cr_expect_eq(ask(&asker, "imap.test"), DNS_ANSWER);
    expect_address(&asker, 0, "127.0.0.1");
}

Test(dns, t84_last_good_answer_need_not_be_waited_for)
{
    struct asker asker;

    cr_assert_eq(ask(&asker, "other.test"), DNS_WAIT);
    cr_expect_not(dns_settle(&asker.query), "there is nothing to settle for");
    dns_forget(&asker.query);
    resolver_answer();
    learn(&asker);
    clock_ms += DNS_TTL_MS;
    cr_assert_eq(ask(&asker, "imap.test"), DNS_WAIT);
    cr_expect(dns_settle(&asker.query));
    expect_address(&asker, 0, "127.0.0.1");
    resolver_answer();
    cr_expect_eq(asker.told, 0);
}

Test(dns, failures_are_told_and_not_kept)
{
    struct asker asker;

    resolver.status = UV_EAI_NONAME;
    cr_assert_eq(ask(&asker, "imap.test"), DNS_WAIT);
    resolver_answer();
    cr_expect_eq(asker.told, 1);
    cr_expect_not_null(asker.error);
    resolver.status = 0;
    learn(&asker);
    resolver.refuse = true;
    cr_expect_eq(ask(&asker, "other.test"), DNS_ERROR);
}

Test(dns, families_take_turns)
{
    static const char *const given[] = {"::1", "::2", "::3", "127.0.0.1", "127.0.0.2", NULL};
    static const char *const wanted[] = {"::1", "127.0.0.1", "::2", "127.0.0.2", "::3"};
    struct asker asker;

    memcpy(resolver.addresses, given, sizeof(given));
    cr_assert_eq(ask(&asker, "imap.test"), DNS_WAIT);
    resolver_answer();
    cr_assert_eq(asker.query.answer.count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        expect_address(&asker, i, wanted[i]);
}

Test(dns, addresses_are_counted)
{
    struct asker asker;

    for (unsigned i = 0; i < RESOLVER_ADDRESSES; i++)
        resolver.addresses[i] = "127.0.0.1";
    cr_assert_eq(ask(&asker, "imap.test"), DNS_WAIT);
    resolver_answer();
    cr_expect_eq(asker.query.answer.count, LIMIT_ADDRESSES);
}

Test(dns, unused_names_are_forgotten)
{
    struct asker asker;
    char host[32];

    learn(&asker);
    clock_ms += DNS_FORGET_MS + 1;
    /* Whatever bucket the name is in, some other name lands there too. */
    for (unsigned i = 0; i < 16 * DNS_BUCKETS; i++) {
        snprintf(host, sizeof(host), "host%u.test", i);
        cr_assert_eq(ask(&asker, host), DNS_WAIT);
        dns_forget(&asker.query);
        resolver_answer();
    }
    resolver.status = UV_EAI_AGAIN;
    cr_assert_eq(ask(&asker, "imap.test"), DNS_WAIT);
    resolver_answer();
    cr_expect_not_null(asker.error, "an answer of an hour ago");
}

Test(dns, closing_cancels_and_tells_nobody)
{
    struct asker asker;

    cr_assert_eq(ask(&asker, "imap.test"), DNS_WAIT);
    dns_forget(&asker.query);
    dns_close(&dns);
    cr_expect_eq(resolver.cancelled, 1);
    resolver_answer();
    cr_expect_eq(asker.told, 0);
}
