/*
 * The login of a probe, by PLAIN or LOGIN, whichever the backend takes (RFC 9051 sections 6.2.2 and
 * 6.2.3, RFC 4959). The password passes from the configuration into port.out and nowhere else;
 * every buffer on the way is wiped.
 */
#include <string.h>

#include "probe/dialogue.h"
#include "waypost/base/base64.h"
#include "waypost/base/limits.h"
#include "waypost/imap/write.h"
#include "waypost/sasl/sasl.h"

#define TAG "w3"

/* PLAIN's message and the line end. False when it does not fit. */
static bool add_message(const struct probe *p, struct str *line)
{
    char storage[LIMIT_LINE];
    struct str message = STR_ON(storage);
    bool good = sasl_plain_message(SLICE(""), slice_str(p->backend->probe_user),
                                   secret_reveal(&p->backend->probe_password), &message);

    if (good)
        base64_encode(str_slice(&message), line);
    str_add(line, SLICE("\r\n"));
    explicit_bzero(storage, sizeof(storage));
    return good && !line->overflow;
}

static bool add_authenticate(struct probe *p, struct str *line)
{
    bool at_once = caps_has(&p->caps, SLICE("SASL-IR"));

    p->owes_message = !at_once;
    str_add(line, SLICE(TAG " AUTHENTICATE PLAIN"));
    if (at_once) {
        str_addc(line, ' ');
        return add_message(p, line);
    }
    str_add(line, SLICE("\r\n"));
    return true;
}

static bool add_login(const struct probe *p, struct str *line)
{
    str_add(line, SLICE(TAG " LOGIN "));
    write_astring(line, slice_str(p->backend->probe_user));
    str_addc(line, ' ');
    write_astring(line, secret_reveal(&p->backend->probe_password));
    str_add(line, SLICE("\r\n"));
    return !line->overflow;
}

static bool is_text(struct slice value)
{
    return write_form_of(value) <= WRITE_QUOTED;
}

/* LOGIN, in text, is possible. */
static bool takes_login(const struct probe *p)
{
    return !caps_has(&p->caps, SLICE("LOGINDISABLED")) &&
           is_text(slice_str(p->backend->probe_user)) &&
           is_text(secret_reveal(&p->backend->probe_password));
}

/* Sends the line that was built, and wipes it. */
static void send(struct probe *p, bool whole, char *storage, struct str *line)
{
    if (whole)
        probe_say(p, str_slice(line));
    else
        probe_fail(p, "the probe's user or password does not fit a command");
    explicit_bzero(storage, line->cap);
}

void probe_login(struct probe *p)
{
    char storage[2 * LIMIT_LINE];
    struct str line = STR_ON(storage);

    p->phase = PROBE_LOGIN;
    if (caps_has(&p->caps, SLICE("AUTH=PLAIN")))
        send(p, add_authenticate(p, &line), storage, &line);
    else if (takes_login(p))
        send(p, add_login(p, &line), storage, &line);
    else
        probe_fail(p, "offers no login that the probe can use");
}

/* A NO without a code is how most servers refuse a password (RFC 5530 section 3). */
static bool refused(struct probe *p)
{
    struct slice code = reply_code_name(&p->reply);
    char storage[PROBE_WHY / 2];
    struct str why = STR_ON(storage);

    if (code.len == 0 || slice_eq_nocase(code, SLICE("AUTHENTICATIONFAILED")))
        return probe_down(p, "refuses the probe's user or password", p->reply.text);
    str_add(&why, SLICE("the probe's login failed with "));
    str_add(&why, code);
    return probe_down(p, storage, p->reply.text);
}

static bool go_on(struct probe *p)
{
    char storage[2 * LIMIT_LINE];
    struct str line = STR_ON(storage);

    if (!p->owes_message)
        return probe_fail(p, "asks for more than a user and a password");
    p->owes_message = false;
    probe_heard(p);
    send(p, add_message(p, &line), storage, &line);
    return true;
}

bool probe_login_step(struct probe *p)
{
    if (!probe_hear(p))
        return false;
    if (probe_done(p))
        return true;
    if (p->reply.kind == REPLY_CONTINUE)
        return go_on(p);
    if (p->reply.kind == REPLY_UNTAGGED && p->reply.status == STATUS_BYE)
        return probe_down(p, "said BYE to the probe's login", p->reply.text);
    if (!probe_answers(p, SLICE(TAG))) {
        probe_heard(p);
        return true;
    }
    if (p->reply.status == STATUS_NO)
        return refused(p);
    if (p->reply.status != STATUS_OK || p->owes_message)
        return probe_down(p, "does not understand the probe's login", p->reply.text);
    probe_heard(p);
    probe_succeed(p);
    return true;
}
