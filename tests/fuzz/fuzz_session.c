/*
 * A whole session of the pure core driven by arbitrary bytes. The first byte chooses the listener
 * and how connections fare; then each operation is one byte: who speaks, who ends, what time it is.
 * Owns one session at a time. Invariants: every step ends, phases move along the table only, queues
 * stay within their bounds, no password reaches the log, every block comes back, and so does all
 * that was counted by address and user.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/lease.h"
#include "waypost/base/check.h"
#include "waypost/session/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a corpus' passwords begin with. */
#define PASSWORD_MARK "PW~"

static const char config_text[] =
    "{ \"hostname\": \"mx.example\", \"routing_table\": \"routes.json\","
    "  \"listeners\": ["
    "    { \"name\": \"imaps\", \"address\": \"127.0.0.1:1993\", \"tls\": \"implicit\" },"
    "    { \"name\": \"imap\", \"address\": \"127.0.0.1:1143\", \"tls\": \"starttls\" },"
    "    { \"name\": \"proxied\", \"address\": \"127.0.0.1:1994\", \"tls\": \"implicit\","
    "      \"proxy_protocol\": { \"from\": [\"192.0.2.0/24\"] } } ],"
    "  \"auth\": { \"mechanisms\": [\"PLAIN\", \"LOGIN\", \"XOAUTH2\", \"OAUTHBEARER\","
    "    \"SCRAM-SHA-256\"], \"oauth_claim\": \"email\", \"allow_authzid\": true },"
    "  \"tls\": { \"certificates\": [ { \"chain\": \"c.pem\", \"key\": \"k.pem\" } ] } }";

static const char routes_text[] =
    "{ \"normalize\": { \"default_domain\": \"example.org\" }, \"backends\": {"
    "    \"tls\": { \"address\": \"127.0.0.1:2993\", \"tls\": \"implicit\","
    "               \"identity\": [\"id\"], \"verify\": { \"name\": \"b.example\" } },"
    "    \"starttls\": { \"address\": \"127.0.0.1:2143\", \"tls\": \"starttls\","
    "               \"verify\": { \"name\": \"b.example\" } },"
    "    \"clear\": { \"address\": \"127.0.0.1:2144\", \"tls\": \"none\","
    "               \"identity\": [\"proxy-v2\"] } },"
    "  \"routes\": [ { \"users\": { \"a@example.org\": \"tls\", \"alice@example.org\": "
    "\"tls\",\"b@example.org\": \"starttls\" } "
    "},"
    "    { \"domains\": { \"example.net\": \"clear\" } },"
    "    { \"users\": { \"c@example.org\": { \"to\": \"clear\", \"login_as\": \"\xc3\xa4\" } } },"
    "    { \"deny\": true } ] }";

/* Where each phase may go by the table; DRAIN is always allowed before CLOSED. */
static const unsigned edges[PHASE_COUNT] = {
    [PHASE_SECURE] = 1u << PHASE_COMMAND,
    [PHASE_COMMAND] = 1u << PHASE_SASL | 1u << PHASE_UPGRADE | 1u << PHASE_ROUTE |
                      1u << PHASE_REDIAL | 1u << PHASE_REFUSE | 1u << PHASE_COMMAND,
    [PHASE_UPGRADE] = 1u << PHASE_COMMAND,
    [PHASE_SASL] = 1u << PHASE_COMMAND | 1u << PHASE_ROUTE | 1u << PHASE_REDIAL |
                   1u << PHASE_REFUSE | 1u << PHASE_SASL,
    [PHASE_ROUTE] = 1u << PHASE_PLACE | 1u << PHASE_DIAL | 1u << PHASE_REFUSE,
    [PHASE_PLACE] = 1u << PHASE_PLACE | 1u << PHASE_DIAL | 1u << PHASE_REFUSE,
    [PHASE_DIAL] = 1u << PHASE_GREETING | 1u << PHASE_REDIAL,
    [PHASE_REDIAL] = 1u << PHASE_ROUTE,
    [PHASE_GREETING] = 1u << PHASE_STARTING | 1u << PHASE_LOGIN | 1u << PHASE_REDIAL,
    [PHASE_STARTING] = 1u << PHASE_LOGIN | 1u << PHASE_REDIAL,
    [PHASE_LOGIN] = 1u << PHASE_RELAY | 1u << PHASE_REFUSE | 1u << PHASE_REDIAL |
                    1u << PHASE_CHALLENGE | 1u << PHASE_COMMAND,
    [PHASE_CHALLENGE] = 1u << PHASE_LOGIN,
    [PHASE_RELAY] = 0,
    [PHASE_REFUSE] = 1u << PHASE_COMMAND,
    [PHASE_DRAIN] = 1u << PHASE_CLOSED,
    [PHASE_CLOSED] = 0,
};

struct world {
    struct session session;
    struct pool pool;
    struct metrics metrics;
    struct log log;
    struct session_env env;
    uint64_t now;
    struct session_gate gate;
    unsigned refused; /* bit by enum limited: what the gate says no to */
    unsigned fates;   /* bit 0: dialing fails; bit 1: the backend's TLS fails */
    bool held;        /* before a place is given */
    bool nowhere;     /* no place is given */
    unsigned asked;   /* for a place */
};

static const char *read_text(void *ctx, const char *path, size_t max, char **text, size_t *len)
{
    const char *from = strstr(path, "routes") != NULL ? routes_text : config_text;
    UNUSED(ctx);

    REQUIRE(strlen(from) <= max);
    *len = strlen(from);
    *text = strdup(from);
    return *text == NULL ? "out of memory" : NULL;
}

static const struct conf *configuration(void)
{
    static struct conf *conf; /* borrowed by every run, alive to the end */
    struct conf_source source = {.read = read_text};
    struct conf_errors errors = {.list = NULL};

    if (conf == NULL)
        REQUIRE(conf_load_from("waypost.json", &source, &conf, &errors));
    return conf;
}

/* True when a field that holds a user name stands before `at`: who takes his password for his name
 * will find it in the log. */
static bool is_user_name(const char *line, const char *at)
{
    const char *user = strstr(line, " user="), *login = strstr(line, " login=");

    return (user != NULL && user < at) || (login != NULL && login < at);
}

/* --- a gate that keeps no tables: it sees that the session asks in order and gives all back ------
 */

static enum limited gate_says(const struct world *w, enum limited limited)
{
    return (w->refused & 1u << limited) != 0 ? limited : LIMITED_none;
}

static enum limited gate_arrive(void *ctx, const struct conf *conf, const struct addr *address,
                                struct gate_pass *pass, uint64_t now)
{
    struct world *w = ctx;
    enum limited limited = gate_says(w, LIMITED_unauthenticated_per_address);
    UNUSED(conf);

    ENSURE(now == w->now && pass->address == 0 && address == &w->session.remote);
    pass->address = 1;
    pass->early = limited == LIMITED_none;
    return limited;
}

static enum limited gate_attempt(void *ctx, const struct conf *conf, const struct gate_pass *pass,
                                 uint64_t now)
{
    UNUSED(conf);
    UNUSED(now);
    ENSURE(pass->early == 1 && pass->of_user == 0);
    return gate_says(ctx, LIMITED_logins_per_minute_per_address);
}

static uint64_t gate_failed(void *ctx, const struct conf *conf, const struct gate_pass *pass,
                            struct slice user, struct slice secret, uint64_t now)
{
    UNUSED(ctx);
    UNUSED(conf);
    UNUSED(secret);
    UNUSED(now);
    ENSURE(pass->early == 1 && pass->of_user == 0 && user.len <= LIMIT_USER);
    return 2000;
}

static enum limited gate_admit(void *ctx, const struct conf *conf, struct slice user,
                               struct gate_pass *pass, uint64_t now)
{
    enum limited limited = gate_says(ctx, LIMITED_sessions_per_user);
    UNUSED(conf);
    UNUSED(now);

    ENSURE(pass->early == 1 && pass->of_user == 0 && user.len > 0);
    pass->of_user = limited == LIMITED_none;
    pass->early = limited != LIMITED_none;
    return limited;
}

static void gate_leave(void *ctx, struct gate_pass *pass, uint64_t now)
{
    UNUSED(ctx);
    UNUSED(now);
    pass->early = pass->of_user = 0;
}

static enum phase phase_called(const char *name)
{
    for (unsigned p = 0; p < PHASE_COUNT; p++) {
        if (strncmp(name, session_phase_name(p), strlen(session_phase_name(p))) == 0)
            return p;
    }
    UNREACHABLE();
}

static void judge_line(void *ctx, enum log_level level, struct slice line)
{
    char text[LIMIT_LOG_LINE + 1];
    const char *mark, *from;
    UNUSED(ctx);
    UNUSED(level);

    memcpy(text, line.ptr, line.len);
    text[line.len] = '\0';
    mark = strstr(text, PASSWORD_MARK);
    ENSURE(mark == NULL || is_user_name(text, mark));
    if (strncmp(text, "event=phase ", 12) != 0)
        return;
    from = strstr(text, " from=");
    enum phase a = phase_called(from + 6), b = phase_called(strstr(from, " to=") + 4);
    ENSURE((edges[a] & 1u << b) != 0 || (b == PHASE_DRAIN && a < PHASE_DRAIN));
}

static void obey_client(struct world *w)
{
    struct port *port = &w->session.client;

    if ((port->ask & ASK_TLS) != 0) {
        buf_drop(&port->out, buf_len(&port->out));
        port->secure = true;
    }
    if ((port->ask & ASK_HANGUP) != 0)
        port->open = port->busy = false;
    port->ask = 0;
}

static void obey_backend(struct world *w)
{
    struct port *port = &w->session.backend;

    if ((port->ask & ASK_OPEN) != 0) {
        ENSURE(!port->busy && buf_empty(&port->in) && w->session.target != NULL);
        port->secure = port->eof = false;
        port->failed = (w->fates & 1) != 0;
        port->failure = PORT_CONNECT;
        port->open = port->busy = !port->failed;
    }
    if ((port->ask & ASK_TLS) != 0) {
        port->secure = (w->fates & 2) == 0;
        port->failed = !port->secure;
        port->failure = PORT_TLS_VERIFY;
    }
    if ((port->ask & ASK_HANGUP) != 0) {
        buf_drop(&port->in, buf_len(&port->in));
        port->open = port->busy = false;
    }
    port->ask = 0;
}

/* Some are held up a few times before they are let in, and some are let in nowhere. */
static void obey_lease(struct world *w)
{
    struct session *s = &w->session;

    ENSURE(s->lease.news == LEASE_NO_NEWS || s->lease.news == LEASE_REACHED ||
           s->lease.why != NULL);
    s->lease.news = LEASE_NO_NEWS;
    if (s->lease.ask == LEASE_RELEASE)
        lease_take_back(s);
    if (s->lease.ask != LEASE_PLACE)
        return;
    ENSURE(!s->backend.busy);
    lease_grant(s);
    if (w->held && w->asked++ % 4 != 3) {
        s->lease.fact = LEASE_HELD;
        s->lease.until = w->now + 100;
    }
    if (w->nowhere)
        s->lease.fact = LEASE_FAILED;
}

static void turn(struct world *w)
{
    struct session *s = &w->session;

    do {
        session_step(s, w->now);
        ENSURE(s->client.ask == 0 || s->client.ask == ASK_TLS || s->client.ask == ASK_HANGUP);
        obey_client(w);
        obey_backend(w);
        buf_drop(&s->client.out, buf_len(&s->client.out));
        buf_drop(&s->backend.out, buf_len(&s->backend.out));
        session_step(s, w->now);
        obey_lease(w);
    } while ((s->client.ask | s->backend.ask | s->lease.ask) != 0);
    buf_settle(&s->client.in);
    buf_settle(&s->backend.in);
}

static void deposit(struct world *w, struct port *port, struct slice bytes)
{
    if (!port->open || port->eof || port->failed || !session_wants(&w->session, port))
        return;
    if (buf_append(&port->in, slice_take(bytes, buf_room(&port->in))))
        turn(w);
}

/* One operation off the front of the input. */
static void operate(struct world *w, struct slice *in)
{
    struct session *s = &w->session;
    unsigned op = (unsigned char)in->ptr[0];
    size_t n = in->len > 1 ? (unsigned char)in->ptr[1] : 0;

    *in = slice_skip(*in, 2);
    switch (op % 8) {
    case 0:
    case 1:
        deposit(w, op % 8 == 0 ? &s->client : &s->backend, slice_take(*in, n));
        *in = slice_skip(*in, n);
        return;
    case 2:
        s->client.eof = true;
        break;
    case 3:
        s->backend.eof = s->backend.open;
        break;
    case 4:
        w->now += n * 100;
        break;
    case 5:
        s->client.failed = true;
        break;
    case 6:
        s->backend.failed = s->backend.open;
        break;
    default:
        if (n % 4 == 3)
            session_doubt(s, n % 8 == 3, w->now);
        else if (n % 4 == 1)
            session_cut(s, REASON_shutdown, w->now);
        else
            session_leave(s, REASON_shutdown, w->now);
        break;
    }
    turn(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct conf *conf = configuration();
    struct slice in = slice_of(data, size);
    struct world *w = calloc(1, sizeof(*w));

    REQUIRE(w != NULL);
    if (size > 0) {
        struct session_setup setup = {
            .env = &w->env,
            .conf = conf,
            .listener = &conf->listeners[data[0] % conf->listener_count],
            .entropy = "0123456789abcdef",
            .gate = &w->gate,
        };
        REQUIRE(addr_parse(SLICE("192.0.2.7"), &setup.remote));
        w->fates = (unsigned)data[0] >> 4;
        w->held = w->fates >= 0xC;
        w->nowhere = w->fates == 0xB;
        w->refused = (data[0] & 0x40) == 0
                         ? 0
                         : 1u << (LIMITED_unauthenticated_per_address + data[0] / 4 % 3);
        w->gate = (struct session_gate){w,           gate_arrive, gate_attempt,
                                        gate_failed, gate_admit,  gate_leave};
        pool_init(&w->pool);
        w->log = (struct log){LEVEL_DEBUG, FORMAT_TEXT, judge_line, w};
        w->env = (struct session_env){.log = &w->log, .metrics = &w->metrics, .pool = &w->pool};
        REQUIRE(session_init(&w->session, &setup, w->now));
        w->session.client.open = w->session.client.busy = true;
        turn(w);
        in = slice_skip(in, 1);
        while (in.len > 0 && !session_closed(&w->session))
            operate(w, &in);
        /* Whoever relays is no longer without login; whoever has ended holds nothing. */
        ENSURE(!session_closed(&w->session) ||
               (w->session.pass.early == 0 && w->session.pass.of_user == 0));
        ENSURE(w->session.phase != PHASE_RELAY || w->session.pass.of_user == 1);
        ENSURE(metric_get(&w->metrics.sessions_early) == (session_early(&w->session) ? 1 : 0));
        session_fini(&w->session);
        ENSURE(w->session.pass.early == 0 && w->session.pass.of_user == 0);
        pool_fini(&w->pool);
    }
    free(w);
    return 0;
}
