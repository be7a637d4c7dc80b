/*
 * Carries out a transcript line by line. Owns the session and the logs of what it said, for the
 * length of one play; deposits bytes and facts, takes up asks, and compares. Never prints a pass.
 */
#include "transcripts/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/lease.h"
#include "transcripts/beyond.h"

static void complain(struct run *run, const char *what, struct slice want, struct slice got)
{
    run->failed = true;
    if (run->fail_after >= 0)
        return; /* short of memory a session may say less; it may not crash, leak or hang */
    fprintf(stderr, "%s:%u: %s (piece %zd, split %zd)\n", run->script->path, run->line->number,
            what, (ssize_t)run->piece, (ssize_t)run->split_at);
    fprintf(stderr, "    expected: %.*s\n    got:      %.*s\n", SLICE_ARG(want), SLICE_ARG(got));
}

static void keep_log(void *ctx, enum log_level level, struct slice line)
{
    struct run *run = ctx;
    UNUSED(level);

    REQUIRE(run->logged_len + line.len + 1 < LOG_MAX);
    memcpy(run->logged + run->logged_len, line.ptr, line.len);
    run->logged_len += line.len;
    run->logged[run->logged_len++] = '\n';
}

static void collect(struct buf *from, char *to, size_t *len)
{
    struct slice bytes = buf_bytes(from);

    REQUIRE(*len + bytes.len < LOG_MAX);
    memcpy(to + *len, bytes.ptr, bytes.len);
    *len += bytes.len;
    buf_drop(from, bytes.len);
}

/* One turn of the shell: the core runs, the kernel takes all that was written. */
static void turn(struct run *run)
{
    struct session *s = &run->session;

    do {
        session_step(s, run->now);
        collect(&s->client.out, run->to_client, &run->to_client_len);
        collect(&s->backend.out, run->to_backend, &run->to_backend_len);
        session_step(s, run->now);
        if (s->lease.ask == LEASE_RELEASE)
            lease_take_back(s);
    } while (beyond_place(run));
    buf_settle(&s->client.in);
    buf_settle(&s->backend.in);
}

static void feed(struct run *run, struct port *port, struct slice bytes)
{
    while (bytes.len > 0 && !run->failed) {
        size_t n = run->piece < bytes.len && !run->line->whole ? run->piece : bytes.len;
        if (!run->line->whole && run->split_at > run->fed && run->split_at - run->fed < n)
            n = run->split_at - run->fed;
        if (!buf_append(&port->in, slice_take(bytes, n))) {
            complain(run, "input does not fit", bytes, SLICE(""));
            return;
        }
        run->fed += n;
        bytes = slice_skip(bytes, n);
        turn(run);
    }
}

/* `*` in the pattern stands for any run of bytes. */
static bool matches(struct slice pattern, struct slice text)
{
    size_t star = slice_find(pattern, '*');

    if (!slice_eq(slice_take(pattern, star), slice_take(text, star)) || text.len < star)
        return false;
    if (star == pattern.len)
        return text.len == star;
    pattern = slice_skip(pattern, star + 1);
    for (size_t i = star; i <= text.len; i++) {
        if (matches(pattern, slice_skip(text, i)))
            return true;
    }
    return false;
}

/* The next output must be this line. A leading "* " of IMAP is not a wildcard. */
static void expect(struct run *run, const char *log, size_t len, size_t *seen)
{
    struct slice want = script_bytes(run->line);
    struct slice rest = slice_of(log + *seen, len - *seen);
    size_t end = slice_find(rest, '\n');
    struct slice got = slice_take(rest, end == rest.len ? end : end + 1);
    struct slice pattern = want, text = got;

    if (slice_starts(want, SLICE("* "))) {
        if (!slice_starts(got, SLICE("* "))) {
            complain(run, "wrong output", want, got);
            return;
        }
        pattern = slice_skip(want, 2);
        text = slice_skip(got, 2);
    }
    if (run->line->raw) /* the given bytes and no more */
        got = text = slice_take(rest, want.len);
    if (run->line->raw ? !slice_eq(want, got) : !matches(pattern, text)) {
        complain(run, "wrong output", want, got);
        return;
    }
    *seen += got.len;
}

static void expect_nothing_more(struct run *run)
{
    struct slice client =
        slice_of(run->to_client + run->to_client_seen, run->to_client_len - run->to_client_seen);
    struct slice backend = slice_of(run->to_backend + run->to_backend_seen,
                                    run->to_backend_len - run->to_backend_seen);

    if (client.len > 0)
        complain(run, "output to the client that nobody expected", SLICE(""), client);
    else if (backend.len > 0)
        complain(run, "output to the backend that nobody expected", SLICE(""), backend);
}

/* --- effects --------------------------------------------------------------------------------- */

static bool takes_ask(struct run *run, struct port *port, unsigned ask, const char *name)
{
    if (port->ask != ask) {
        complain(run, "the core did not ask for this", slice_str(name), SLICE(""));
        return false;
    }
    port->ask = 0;
    return true;
}

static void fact_fail(struct port *port, enum port_failure failure)
{
    port->failed = true;
    port->failure = failure;
    port->open = false;
    snprintf(port->detail, sizeof(port->detail), "made to fail");
}

static void effect_dial(struct run *run, struct slice name, bool works)
{
    struct port *port = &run->session.backend;

    if (!takes_ask(run, port, ASK_OPEN, "dial"))
        return;
    if (!slice_eq(name, slice_str(run->session.target->name)))
        complain(run, "dials another backend", name, slice_str(run->session.target->name));
    port->open = port->secure = port->eof = port->truncated = port->failed = false;
    port->failure = PORT_FINE;
    port->detail[0] = '\0';
    port->busy = true;
    if (works)
        port->open = true;
    else
        fact_fail(port, PORT_CONNECT);
}

static void effect_hangup(struct run *run)
{
    struct port *port = &run->session.backend;

    if (!takes_ask(run, port, ASK_HANGUP, "hangup"))
        return;
    buf_drop(&port->in, buf_len(&port->in));
    port->open = port->busy = false;
    if (run->session.lease.ask == LEASE_RELEASE)
        lease_take_back(&run->session);
}

static void effect_tls(struct run *run, struct slice side, struct slice how)
{
    struct port *port =
        slice_eq(side, SLICE("client")) ? &run->session.client : &run->session.backend;

    if (!takes_ask(run, port, ASK_TLS, "tls"))
        return;
    if (how.len == 0)
        port->secure = true;
    else
        fact_fail(port, slice_eq(how, SLICE("verify")) ? PORT_TLS_VERIFY : PORT_TLS_PROTOCOL);
}

static void effect_end(struct run *run, struct slice side, struct slice how)
{
    struct port *port =
        slice_eq(side, SLICE("client")) ? &run->session.client : &run->session.backend;

    if (slice_eq(how, SLICE("reset"))) {
        fact_fail(port, PORT_IO);
        return;
    }
    port->eof = true;
    port->truncated = slice_eq(how, SLICE("truncated"));
}

static void effect_pass(struct run *run, struct slice seconds)
{
    unsigned long n = 0;

    if (!slice_number(seconds, 1000000, &n))
        complain(run, "pass takes seconds", seconds, SLICE(""));
    run->now += n * 1000;
}

static void effect_certificate(struct run *run, struct slice email)
{
    struct str text = STR_ON(run->email);

    str_add(&text, email);
    run->session.client.cert_email = run->email;
    run->session.client.cert_name = "Somebody";
}

static void expect_log(struct run *run, struct slice text, bool present)
{
    bool found = memmem(run->logged, run->logged_len, text.ptr, text.len) != NULL;

    if (found != present)
        complain(run, present ? "not in the log" : "in the log", text,
                 slice_of(run->logged, run->logged_len));
}

static void expect_closed(struct run *run, struct slice reason)
{
    struct session *s = &run->session;

    if (s->phase != PHASE_CLOSED || s->client.ask != ASK_HANGUP)
        complain(run, "session is not closed", reason, slice_str(session_phase_name(s->phase)));
    else if (!slice_eq(reason, slice_str(reason_table[s->reason].name)))
        complain(run, "closed for another reason", reason, slice_str(reason_table[s->reason].name));
}

/* Name of the effect, and whether it changes something (then the core runs). */
static void effect(struct run *run)
{
    struct slice rest = run->line->text;
    struct slice verb = slice_cut(&rest, ' ');
    struct slice all = rest;
    struct slice first = slice_cut(&rest, ' ');
    struct session *s = &run->session;

    if (slice_eq(verb, SLICE("dial")))
        effect_dial(run, first, true);
    else if (slice_eq(verb, SLICE("dial-fails")))
        effect_dial(run, first, false);
    else if (slice_eq(verb, SLICE("hangup")))
        effect_hangup(run);
    else if (slice_eq(verb, SLICE("tls")))
        effect_tls(run, first, rest);
    else if (slice_eq(verb, SLICE("client")) || slice_eq(verb, SLICE("backend")))
        effect_end(run, verb, first);
    else if (slice_eq(verb, SLICE("pass")))
        effect_pass(run, first);
    else if (slice_eq(verb, SLICE("place")))
        run->placing = slice_eq(first, SLICE("freely")) ? SLICE("") : first;
    else if (slice_eq(verb, SLICE("knows")))
        run->known = all;
    else if (slice_eq(verb, SLICE("certificate")))
        effect_certificate(run, first);
    else if (slice_eq(verb, SLICE("doubt")))
        session_doubt(s, !slice_eq(first, SLICE("not")), run->now);
    else if (slice_eq(verb, SLICE("leave")))
        session_leave(s, REASON_shutdown, run->now);
    else if (slice_eq(verb, SLICE("log")))
        expect_log(run, all, true);
    else if (slice_eq(verb, SLICE("nolog")))
        expect_log(run, all, false);
    else if (slice_eq(verb, SLICE("closed")))
        expect_closed(run, first);
    else if (slice_eq(verb, SLICE("phase"))) {
        if (!slice_eq(first, slice_str(session_phase_name(s->phase))))
            complain(run, "wrong phase", first, slice_str(session_phase_name(s->phase)));
    } else
        complain(run, "unknown effect", verb, SLICE(""));
    turn(run);
}

static const struct conf_listener *find_listener(const struct conf *conf, struct slice name)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (slice_eq(name, slice_str(conf->listeners[i].name)))
            return &conf->listeners[i];
    }
    fprintf(stderr, "no listener %.*s\n", SLICE_ARG(name));
    exit(2);
}

static void begin(struct run *run)
{
    struct session_setup setup = {
        .env = &run->env,
        .conf = run->conf,
        .listener = find_listener(run->conf, run->script->listener),
        .lore = &run->lore,
        .entropy = "0123456789abcdef",
    };

    run->lore = beyond_lore(run);

    REQUIRE(addr_parse(SLICE("192.0.2.7"), &setup.remote));
    REQUIRE(addr_parse(SLICE("198.51.100.1"), &setup.local));
    setup.remote.port = 4711;
    pool_init(&run->pool);
    run->pool.fail_after = run->fail_after;
    run->log = (struct log){LEVEL_DEBUG, FORMAT_TEXT, keep_log, run};
    run->env = (struct session_env){.log = &run->log, .metrics = &run->metrics, .pool = &run->pool};
    run->now = 1000000;
    run->to_client = malloc(LOG_MAX);
    run->to_backend = malloc(LOG_MAX);
    run->logged = malloc(LOG_MAX);
    REQUIRE(session_init(&run->session, &setup, run->now));
    run->session.client.open = run->session.client.busy = true;
    turn(run);
}

static void finish(struct run *run)
{
    if (!run->failed)
        expect_nothing_more(run);
    session_fini(&run->session);
    pool_fini(&run->pool);
    free(run->to_client);
    free(run->to_backend);
    free(run->logged);
}

static void carry_out(struct run *run)
{
    switch (run->line->kind) {
    case 'C':
        expect_nothing_more(run);
        feed(run, &run->session.client, script_bytes(run->line));
        break;
    case '<':
        expect_nothing_more(run);
        feed(run, &run->session.backend, script_bytes(run->line));
        break;
    case 'S':
        expect(run, run->to_client, run->to_client_len, &run->to_client_seen);
        break;
    case '>':
        expect(run, run->to_backend, run->to_backend_len, &run->to_backend_seen);
        break;
    default:
        effect(run);
        break;
    }
}

bool play(struct run *run)
{
    run->line = run->script->lines;
    begin(run);
    for (size_t i = 0; i < run->script->count && !run->failed; i++) {
        run->line = &run->script->lines[i];
        carry_out(run);
    }
    finish(run);
    return !run->failed;
}
