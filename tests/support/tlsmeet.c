/*
 * One bed and one pair, set up and looked at. Every failure is one of the test that is running.
 */
#include "support/tlsmeet.h"

#include <criterion/criterion.h>

#include "waypost/base/limits.h"

struct tlsbed bed;
struct tlspair pair;

void open_bed(void)
{
    tlsbed_open(&bed);
    cr_assert(tlsbed_load(&bed));
}

void close_bed(void)
{
    tlsbed_close(&bed);
}

void meet(size_t max)
{
    tlspair_open(&pair, bed.set, max, LIMIT_BUF);
    cr_assert(tlspair_shake(&pair));
}

void say(struct tlsend *end, const char *text)
{
    cr_assert(buf_append(&end->out, slice_str(text)));
}

void expect_in(struct tlsend *end, const char *text)
{
    struct slice got = buf_bytes(&end->in);

    cr_expect(slice_eq(got, slice_str(text)), "wanted '%s', got '%.*s'", text, SLICE_ARG(got));
    buf_drop(&end->in, got.len);
}

void expect_end(const struct tlsend *end, enum tls_state state, enum tls_failure failure,
                const char *detail)
{
    cr_expect_eq(tls_engine_state(end->engine), state);
    cr_expect_eq(tls_engine_failure(end->engine), failure);
    cr_expect_str_eq(tls_engine_detail(end->engine), detail);
}
