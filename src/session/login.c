/*
 * The login command, in the form this backend takes (RFC 9051 sections 4.3, 6.2.2 and 6.2.3; RFC
 * 4616; RFC 4959; RFC 7888). Credentials pass from s->credentials into backend.out and nowhere
 * else; every buffer on the way is wiped.
 */
#include "session/phase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waypost/imap/write.h"
#include "waypost/sasl/base64.h"

/* Largest login command: a base64 message and little else. */
#define COMMAND_MAX (LIMIT_SASL_LINE + LIMIT_LINE)

static_assert(COMMAND_MAX <= LIMIT_BUF, "a login command fits backend.out");

/* Non-synchronising literals that LITERAL- allows (RFC 7888 section 5). */
#define LITERAL_MINUS_MAX 4096u

/* What is sent next when the backend says `+`; kept in s->login_part. */
enum part { PART_NONE, PART_MESSAGE, PART_USER, PART_PASSWORD };

/* A builder on heap memory that never leaves a trace. */
struct scratch {
    struct str text;
    char *memory; /* owned */
};

static bool scratch_open(struct session *s, struct scratch *scratch)
{
    scratch->memory = malloc(COMMAND_MAX);
    if (scratch->memory == NULL) {
        session_fail(s, REASON_no_memory);
        return false;
    }
    scratch->text = str_on(scratch->memory, COMMAND_MAX);
    return true;
}

static void scratch_close(struct scratch *scratch)
{
    explicit_bzero(scratch->memory, COMMAND_MAX);
    free(scratch->memory);
}

/* Sends what was built and wipes it. */
static void scratch_send(struct session *s, struct scratch *scratch)
{
    ENSURE(!scratch->text.overflow);
    if (!buf_append(&s->backend.out, str_slice(&scratch->text)))
        session_fail(s, REASON_no_memory);
    scratch_close(scratch);
}

struct slice login_own_tag(const struct session *s, char out[32])
{
    /* Part of the id makes the tag different in each session, the number in each command. */
    int n = snprintf(out, 32, "W%.6s%u", s->id, s->own_tag);
    return slice_of(out, (size_t)n);
}

void login_command(struct session *s, const char *command)
{
    char tag[32], text[128];
    struct str line = STR_ON(text);

    s->own_tag++;
    str_add(&line, login_own_tag(s, tag));
    str_addf(&line, " %s\r\n", command);
    ENSURE(!line.overflow);
    if (!buf_append(&s->backend.out, str_slice(&line)))
        session_fail(s, REASON_no_memory);
}

static struct slice login_name(const struct session *s)
{
    return slice_str(s->route->login);
}

static struct slice password_of(const struct session *s)
{
    return secret_reveal(&s->credentials.password);
}

/* base64(NUL login NUL password), RFC 4616. False when the two do not fit one SASL line. */
static bool add_plain_message(struct session *s, struct str *out)
{
    struct scratch message;

    if (!scratch_open(s, &message))
        return false;
    bool fits = sasl_plain_message(SLICE(""), login_name(s), password_of(s), &message.text);
    if (fits)
        base64_encode(str_slice(&message.text), out);
    scratch_close(&message);
    return fits && !out->overflow;
}

static enum login_sent send_plain_at_once(struct session *s)
{
    struct scratch line;
    char tag[32];

    s->own_tag++;
    if (!scratch_open(s, &line))
        return LOGIN_SENT;
    str_add(&line.text, login_own_tag(s, tag));
    str_add(&line.text, SLICE(" AUTHENTICATE PLAIN "));
    if (!add_plain_message(s, &line.text)) {
        scratch_close(&line);
        return LOGIN_NOT_HERE;
    }
    str_add(&line.text, SLICE("\r\n"));
    scratch_send(s, &line);
    return LOGIN_SENT;
}

static enum login_sent send_plain_stepwise(struct session *s)
{
    login_command(s, "AUTHENTICATE PLAIN");
    s->login_part = PART_MESSAGE;
    return LOGIN_SENT;
}

static bool as_text(struct slice value)
{
    enum write_form form = write_form_of(value);
    return form == WRITE_ATOM || form == WRITE_QUOTED;
}

/* `tag LOGIN user password`, both atoms or quoted. */
static enum login_sent send_login_text(struct session *s)
{
    struct scratch line;
    char tag[32];

    s->own_tag++;
    if (!scratch_open(s, &line))
        return LOGIN_SENT;
    str_add(&line.text, login_own_tag(s, tag));
    str_add(&line.text, SLICE(" LOGIN "));
    write_astring(&line.text, login_name(s));
    str_addc(&line.text, ' ');
    write_astring(&line.text, password_of(s));
    str_add(&line.text, SLICE("\r\n"));
    scratch_send(s, &line);
    return LOGIN_SENT;
}

static void add_literal(struct str *out, struct slice value, const char *plus)
{
    str_addf(out, "{%zu%s}\r\n", value.len, plus);
}

/* Both values as literals, in one go where the backend takes non-synchronising ones. */
static enum login_sent send_login_literals(struct session *s, bool at_once)
{
    struct scratch line;
    char tag[32];

    s->own_tag++;
    if (!scratch_open(s, &line))
        return LOGIN_SENT;
    str_add(&line.text, login_own_tag(s, tag));
    str_add(&line.text, SLICE(" LOGIN "));
    add_literal(&line.text, login_name(s), at_once ? "+" : "");
    if (at_once) {
        str_add(&line.text, login_name(s));
        str_addc(&line.text, ' ');
        add_literal(&line.text, password_of(s), "+");
        str_add(&line.text, password_of(s));
        str_add(&line.text, SLICE("\r\n"));
    }
    s->login_part = at_once ? PART_NONE : PART_USER;
    scratch_send(s, &line);
    return LOGIN_SENT;
}

static bool literals_at_once(const struct session *s)
{
    if (caps_has(&s->caps, SLICE("LITERAL+")))
        return true;
    return caps_has(&s->caps, SLICE("LITERAL-")) && login_name(s).len <= LITERAL_MINUS_MAX &&
           password_of(s).len <= LITERAL_MINUS_MAX;
}

/*
 * One round trip where there is one: PLAIN with an initial response, else LOGIN in text. LOGIN is
 * not extended to UTF-8 (RFC 6855 section 5), so 8-bit values prefer PLAIN even at two trips.
 */
enum login_sent login_begin(struct session *s)
{
    bool plain = caps_has(&s->caps, SLICE("AUTH=PLAIN"));
    bool login = !caps_has(&s->caps, SLICE("LOGINDISABLED"));

    s->login_part = PART_NONE;
    if (plain && caps_has(&s->caps, SLICE("SASL-IR")))
        return send_plain_at_once(s);
    if (login && as_text(login_name(s)) && as_text(password_of(s)))
        return send_login_text(s);
    if (plain)
        return send_plain_stepwise(s);
    if (login)
        return send_login_literals(s, literals_at_once(s));
    return LOGIN_NOT_HERE;
}

bool login_continue(struct session *s)
{
    enum part part = s->login_part;
    struct scratch line;

    if (part == PART_NONE)
        return false;
    if (!scratch_open(s, &line))
        return true;
    if (part == PART_MESSAGE) {
        if (!add_plain_message(s, &line.text))
            str_addc(&line.text, '*'); /* cancels: the backend answers BAD */
        s->login_part = PART_NONE;
    } else if (part == PART_USER) {
        str_add(&line.text, login_name(s));
        str_addc(&line.text, ' ');
        add_literal(&line.text, password_of(s), "");
        s->login_part = PART_PASSWORD;
    } else {
        str_add(&line.text, password_of(s));
        s->login_part = PART_NONE;
    }
    if (part != PART_USER)
        str_add(&line.text, SLICE("\r\n"));
    scratch_send(s, &line);
    return true;
}
