/*
 * The shell's part of a probe in tests: performs the asks, feeds the backend's lines.
 */
#include "support/probe_play.h"

#include <criterion/criterion.h>

#include "waypost/base/str.h"

static struct pool pool;

static void take_out(struct probe *p, struct str *sent)
{
    str_add(sent, buf_bytes(&p->port.out));
    buf_drop(&p->port.out, buf_len(&p->port.out));
}

/* What the shell does; true when it did anything. */
static bool perform(struct probe *p, struct str *sent, bool *may_secure)
{
    unsigned asked = p->port.ask;

    take_out(p, sent);
    p->port.ask = 0;
    if ((asked & ASK_OPEN) != 0)
        p->port.open = true;
    if ((asked & ASK_TLS) != 0) {
        cr_assert(buf_empty(&p->port.in), "nothing from before TLS may be left");
        str_addc(sent, '|');
        *may_secure = true;
    }
    return asked != 0 && !probe_done(p);
}

static void feed(struct probe *p, const char *server, size_t step, struct str *sent)
{
    struct slice rest = slice_str(server);
    bool shaking = false;

    for (;;) {
        struct slice part = slice_take(rest, step);
        probe_step(p, 10);
        if (perform(p, sent, &shaking))
            continue;
        if (probe_done(p))
            return;
        if (shaking && slice_starts(rest, SLICE("|"))) {
            p->port.secure = true;
            p->port.tls_version = "TLSv1.3";
            rest = slice_skip(rest, 1);
            shaking = false;
            continue;
        }
        if (rest.len == 0 || rest.ptr[0] == '|') {
            cr_assert_not(p->port.eof, "%s", server);
            p->port.eof = true;
            continue;
        }
        part = slice_take(part, slice_find(part, '|'));
        cr_assert(buf_append(&p->port.in, part));
        rest = slice_skip(rest, part.len);
    }
}

/* Logs in when there is a password. */
static void play_once(const struct probe_play *row, const char *password, size_t step)
{
    char user[] = "probe";
    struct conf_backend backend = {.probe.timeout = 1000, .tls = row->tls};
    char storage[2048];
    struct str sent = STR_ON(storage);
    struct probe p;

    if (password != NULL) {
        backend.probe_user = user;
        cr_assert(secret_set(&backend.probe_password, slice_str(password)));
    }
    probe_init(&p, &backend, &pool, 0);
    feed(&p, row->server, step, &sent);
    cr_expect_eq(p.up, row->why == NULL, "%s, %zu: %s", row->what, step, p.why);
    cr_expect_str_eq(p.why, row->why == NULL ? "" : row->why, "%s, %zu: %s", row->what, step,
                     p.why);
    cr_expect_str_eq(storage, row->sent, "%s, %zu: %s", row->what, step, storage);
    cr_expect(slice_eq(caps_words(&p.caps), slice_str(row->caps)), "%s, %zu", row->what, step);
    cr_expect_eq(p.deadline, PROBE_NEVER);
    cr_expect_eq(p.tls_version != NULL, p.port.secure);
    probe_fini(&p);
    secret_clear(&backend.probe_password);
}

void probe_play(const struct probe_play *row, const char *password)
{
    static const size_t steps[] = {4096, 1, 2, 3, 7};

    pool_init(&pool);
    for (size_t s = 0; s < COUNT_OF(steps); s++)
        play_once(row, password, steps[s]);
    pool_fini(&pool);
}
