/*
 * What a connection must not leave behind and must not believe: credentials, the wall clock.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "support/connbed.h"
#include "waypost/base/limits.h"

#define PLAIN "\"tls\": \"none\""

static struct connbed bed;
static struct peer client, backend;

static void hang_up(void)
{
    peer_close(&client);
    peer_close(&backend);
    cr_expect(connbed_empties(&bed), "a connection does not end");
    connbed_close(&bed);
}

Test(conn_safety, t79_no_credential_in_any_log_line)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    cr_expect(connbed_logged(&bed, "event=login"));
    cr_expect_not(connbed_logged_yet(&bed, "sesame"));
    cr_expect_not(connbed_logged_yet(&bed, "c2VzYW1l"));
    hang_up();
}

/* Free blocks are poisoned for AddressSanitizer, which is what this looks past. */
__attribute__((no_sanitize("address"))) static bool block_holds(const char *block, size_t size,
                                                                const char *text, size_t len)
{
    for (size_t i = 0; i + len <= size; i++) {
        size_t same = 0;
        while (same < len && block[i + same] == text[same])
            same++;
        if (same == len)
            return true;
    }
    return false;
}

/* A block on a free list is what a later session, or a core dump, would find. */
__attribute__((no_sanitize("address"))) static bool pool_holds(const char *text)
{
    static const size_t size[] = {LIMIT_BLOCK_SMALL, LIMIT_BLOCK_LARGE, LIMIT_BLOCK_HUGE};

    for (unsigned c = 0; c < POOL_CLASSES; c++) {
        const char *block = (const char *)bed.pool.free[c];
        for (; block != NULL; block = *(const char *const *)(const void *)block) {
            if (block_holds(block, size[c], text, strlen(text)))
                return true;
        }
    }
    return false;
}

Test(conn_safety, t79_no_password_stays_in_a_block)
{
    connbed_open(&bed, NULL, PLAIN);
    connbed_log_in(&bed, &client, &backend);
    cr_expect_not(pool_holds("sesame"));
    cr_expect_not(pool_holds("c2VzYW1l"), "in the form of AUTHENTICATE PLAIN");
    cr_expect_not(pool_holds("AHNlc2FtZQ"));
    peer_say(&client, "b NOOP and some pearls\r\n");
    cr_assert(peer_hears(&backend, "pearls"));
    cr_expect(pool_holds("pearls"), "relayed bytes are wiped: this test looks in the wrong place");
    hang_up();
}

static long jump; /* seconds by which the wall clock is wrong */

/* In place of libc's for the whole program. */
int clock_gettime(clockid_t id, struct timespec *now)
{
    long rc = syscall(SYS_clock_gettime, id, now);

    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        now->tv_sec += jump;
    return (int)rc;
}

Test(conn_safety, t86_wall_clock_may_jump)
{
    connbed_open(&bed, "\"timeouts\": {\"login\": \"2s\"}", PLAIN);
    connbed_connect(&bed, 0, &client);
    cr_assert(peer_secure(&client, bed.ctx, "proxy.test"));
    for (unsigned i = 0; i < 4; i++) {
        jump = i % 2 == 0 ? 86400 : -86400;
        for (unsigned turn = 0; turn < 10; turn++)
            connbed_turn(&bed);
    }
    peer_say(&client, "a NOOP\r\n");
    cr_expect(peer_hears(&client, "a OK"));
    backend.fd = -1;
    hang_up();
}
