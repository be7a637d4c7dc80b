/*
 * The dialogue of a probe: greeting, STARTTLS where it is configured, CAPABILITY, a login where one
 * is (login.c), LOGOUT (RFC 9051 sections 6.1 and 7.1). Owns the port's queues and the
 * capabilities. Sends nothing but STARTTLS before TLS, and reads nothing into what came before it.
 */
#include "probe/dialogue.h"

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/proxyhdr/build.h"

/* --- results ---------------------------------------------------------------------------------- */

static void finish(struct probe *p)
{
    p->phase = PROBE_DONE;
    p->deadline = PROBE_NEVER;
    p->port.ask = ASK_HANGUP;
    p->tls_version = p->port.tls_version;
    p->tls_cipher = p->port.tls_cipher;
}

bool probe_down(struct probe *p, const char *why, struct slice said)
{
    struct str text = STR_ON(p->why);

    str_add(&text, slice_str(why));
    if (said.len > 0) {
        str_add(&text, SLICE(": "));
        str_add(&text, slice_take(said, PROBE_WHY / 2));
    }
    caps_clear(&p->caps);
    finish(p);
    return true;
}

bool probe_fail(struct probe *p, const char *why)
{
    return probe_down(p, why, SLICE(""));
}

static bool lack_memory(struct probe *p)
{
    p->ours = true;
    return probe_fail(p, "out of memory");
}

void probe_give_up(struct probe *p, const char *why)
{
    if (!probe_done(p))
        probe_fail(p, why);
}

void probe_say(struct probe *p, struct slice text)
{
    if (!buf_append(&p->port.out, text))
        lack_memory(p);
}

void probe_succeed(struct probe *p)
{
    probe_say(p, SLICE("w4 LOGOUT\r\n"));
    if (probe_done(p))
        return;
    p->up = true;
    finish(p);
}

/* --- listening -------------------------------------------------------------------------------- */

static bool broken(struct probe *p)
{
    p->ours = port_failure_is_ours(p->port.failure);
    p->silent = p->port.failure == PORT_UNREACHABLE;
    return probe_fail(p, p->port.detail[0] == '\0' ? "out of memory" : p->port.detail);
}

static bool waits_for_tls(const struct probe *p)
{
    return p->backend->tls == CONF_TLS_IMPLICIT && !p->port.secure;
}

bool probe_hear(struct probe *p)
{
    const struct port *port = &p->port;

    switch (reply_next(&p->reply, &port->in)) {
    case DONE:
        return true;
    case BAD:
    case CONTINUE:
        return probe_fail(p, "what it says is not IMAP");
    case NEED_MORE:
        break;
    }
    if (port->failed)
        return broken(p);
    return port->eof &&
           probe_fail(p, waits_for_tls(p) ? "closed the connection before TLS was there"
                                          : "closed the connection");
}

void probe_heard(struct probe *p)
{
    buf_drop(&p->port.in, p->reply.len);
    reply_reset(&p->reply);
}

static void learn(struct probe *p)
{
    struct slice words;

    if (reply_capabilities(&p->reply, &words) && !caps_set(&p->caps, words))
        caps_clear(&p->caps);
}

bool probe_answers(const struct probe *p, struct slice tag)
{
    return p->reply.kind == REPLY_TAGGED && slice_eq(p->reply.tag, tag);
}

/* --- one function for each phase; true when it moved -------------------------------------------
 */

/* The PROXY header stands before everything else. A probe speaks for nobody: it is LOCAL. */
static bool add_proxy_header(struct probe *p)
{
    char storage[PROXYHDR_BUILT_MAX + 1];
    struct str header = STR_ON(storage);
    struct proxyhdr_facts facts = {
        .version = p->backend->proxy_header == CONF_PROXY_V1 ? 1 : 2,
    };

    if (p->backend->proxy_header == CONF_PROXY_NONE)
        return true;
    return proxyhdr_build(&facts, &header) && buf_append(&p->port.out, str_slice(&header));
}

static bool dial_step(struct probe *p)
{
    if (p->port.failed)
        return broken(p);
    if (!p->port.open)
        return false;
    if (!add_proxy_header(p))
        return lack_memory(p);
    if (p->backend->tls == CONF_TLS_IMPLICIT)
        p->port.ask = ASK_TLS;
    p->phase = PROBE_GREETING;
    return true;
}

static void ask(struct probe *p, uint64_t now)
{
    p->asked = now;
    p->phase = PROBE_ASKING;
    probe_say(p, SLICE("w2 CAPABILITY\r\n"));
}

static bool greeting_step(struct probe *p, uint64_t now)
{
    if ((waits_for_tls(p) && !p->port.failed && !p->port.eof) || !probe_hear(p))
        return false;
    if (probe_done(p))
        return true;
    if (p->reply.kind != REPLY_UNTAGGED)
        return probe_fail(p, "the greeting is not IMAP");
    if (p->reply.status == STATUS_BYE)
        return probe_down(p, "the greeting is BYE", p->reply.text);
    /* PREAUTH is somebody's session: STARTTLS would come too late, and so would a login. */
    if (p->reply.status != STATUS_OK)
        return probe_fail(p, p->reply.status == STATUS_PREAUTH ? "the greeting is PREAUTH"
                                                               : "the greeting is not IMAP");
    learn(p);
    probe_heard(p);
    if (p->backend->tls != CONF_TLS_STARTTLS) {
        ask(p, now);
    } else if (caps_known(&p->caps) && !caps_has(&p->caps, SLICE("STARTTLS"))) {
        return probe_fail(p, "STARTTLS is not offered");
    } else {
        p->phase = PROBE_STARTING;
        probe_say(p, SLICE("w1 STARTTLS\r\n"));
    }
    return true;
}

static bool starting_step(struct probe *p, uint64_t now)
{
    if (p->port.secure) {
        caps_clear(&p->caps); /* RFC 9051 section 6.2.1 */
        ask(p, now);
        return true;
    }
    if (!probe_hear(p))
        return false;
    if (probe_done(p))
        return true;
    if (!probe_answers(p, SLICE("w1"))) {
        probe_heard(p);
        return true;
    }
    if (p->reply.status != STATUS_OK)
        return probe_down(p, "STARTTLS was refused", p->reply.text);
    probe_heard(p);
    if (!buf_empty(&p->port.in))
        return probe_fail(p, "bytes follow the answer to STARTTLS in clear");
    p->port.ask = ASK_TLS;
    return true;
}

static bool asking_step(struct probe *p, uint64_t now)
{
    if (!probe_hear(p))
        return false;
    if (probe_done(p))
        return true;
    if (p->reply.kind == REPLY_UNTAGGED && p->reply.status == STATUS_BYE)
        return probe_down(p, "said BYE", p->reply.text);
    learn(p);
    if (!probe_answers(p, SLICE("w2"))) {
        probe_heard(p);
        return true;
    }
    if (p->reply.status != STATUS_OK)
        return probe_down(p, "does not tell its capabilities", p->reply.text);
    if (!caps_known(&p->caps))
        return probe_fail(p, "does not tell its capabilities");
    if (!caps_has(&p->caps, SLICE("IMAP4rev1")) && !caps_has(&p->caps, SLICE("IMAP4rev2")))
        return probe_fail(p, "speaks neither IMAP4rev1 nor IMAP4rev2");
    probe_heard(p);
    p->round_trip = now - p->asked;
    if (p->backend->probe_user != NULL)
        probe_login(p);
    else
        probe_succeed(p);
    return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool step(struct probe *p, uint64_t now)
{
    /* Until the shell has taken an ask on, the facts are those from before it. */
    if (p->port.ask != 0)
        return false;
    switch (p->phase) {
    case PROBE_DIAL:
        return dial_step(p);
    case PROBE_GREETING:
        return greeting_step(p, now);
    case PROBE_STARTING:
        return starting_step(p, now);
    case PROBE_ASKING:
        return asking_step(p, now);
    case PROBE_LOGIN:
        return probe_login_step(p);
    case PROBE_DONE:
        break;
    }
    return false;
}

static const char *late(const struct probe *p)
{
    static const char *const texts[] = {
        [PROBE_DIAL] = "no connection in time",
        [PROBE_GREETING] = "no greeting in time",
        [PROBE_STARTING] = "no STARTTLS in time",
        [PROBE_ASKING] = "no capabilities in time",
        [PROBE_LOGIN] = "no answer to the probe's login in time",
        [PROBE_DONE] = "",
    };

    if (p->phase == PROBE_GREETING && waits_for_tls(p))
        return "no TLS handshake in time";
    return texts[p->phase];
}

void probe_step(struct probe *p, uint64_t now)
{
    while (step(p, now)) {
    }
    if (now >= p->deadline) {
        p->silent = p->phase != PROBE_LOGIN; /* which others do behind the backend */
        probe_fail(p, late(p));
    }
}

void probe_init(struct probe *p, const struct conf_backend *backend, struct pool *pool,
                uint64_t now)
{
    *p = (struct probe){
        .backend = backend,
        .deadline = now + backend->probe.timeout,
        .caps = CAPS_UNKNOWN,
    };
    buf_init(&p->port.in, pool, LIMIT_BUF);
    buf_init(&p->port.out, pool, LIMIT_BUF);
    p->port.in.wipe = p->port.out.wipe = true;
    p->port.ask = ASK_OPEN;
}

void probe_fini(struct probe *p)
{
    REQUIRE(!p->port.busy);
    buf_fini(&p->port.in);
    buf_fini(&p->port.out);
    caps_clear(&p->caps);
}
