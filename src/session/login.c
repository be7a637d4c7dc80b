/*
 * The login command, in the form this backend takes (RFC 9051 sections 4.3, 6.2.2 and 6.2.3; RFC
 * 4616; RFC 4959; RFC 7888). Which form that is decides plan.c; here credentials pass from
 * s->pre->credentials into backend.out and nowhere else, and every buffer on the way is wiped.
 */
#include "session/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waypost/base/base64.h"
#include "waypost/imap/write.h"

/* Largest login command: a base64 message and little else. */
#define COMMAND_MAX (LIMIT_SASL_LINE + LIMIT_LINE)

static_assert(COMMAND_MAX <= LIMIT_BUF, "a login command fits backend.out");

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

/* Sends what was built and wipes it. False when it was too long to be built. */
static bool scratch_send(struct session *s, struct scratch *scratch)
{
    bool whole = !scratch->text.overflow;

    if (whole && !buf_append(&s->backend.out, str_slice(&scratch->text)))
        session_fail(s, REASON_no_memory);
    scratch_close(scratch);
    return whole;
}

/* --- our own tags ----------------------------------------------------------------------------- */

/* Part of the id makes the tag different in each session, the number in each command. */
static void add_tag(struct session *s, struct str *out)
{
    str_addf(out, "W%.6s%u ", s->id, ++s->pre->own_tag);
}

unsigned login_command(struct session *s, const char *command)
{
    char text[128];
    struct str line = STR_ON(text);

    add_tag(s, &line);
    str_addf(&line, "%s\r\n", command);
    ENSURE(!line.overflow);
    if (!buf_append(&s->backend.out, str_slice(&line)))
        session_fail(s, REASON_no_memory);
    return s->pre->own_tag;
}

unsigned login_identify(struct session *s)
{
    struct scratch line;
    struct ident_facts facts = {
        .kept = &s->pre->ident,
        .session_id = slice_str(s->id),
        .client = &s->remote,
        .local = &s->local,
        .ttl = (s->pre->ident.has_ttl ? s->pre->ident.ttl : LIMIT_PROXY_HOPS) - 1,
        .tls = s->client.secure,
        .sni = slice_str(s->client.sni),
    };

    if (!scratch_open(s, &line))
        return 0;
    add_tag(s, &line.text);
    if (!ident_command(&facts, &line.text)) {
        scratch_close(&line);
        return 0;
    }
    str_add(&line.text, SLICE("\r\n"));
    return scratch_send(s, &line) ? s->pre->own_tag : 0;
}

unsigned login_own_number(const struct session *s, struct slice tag)
{
    char text[16];
    struct str prefix = STR_ON(text);
    unsigned long number = 0;

    str_addf(&prefix, "W%.6s", s->id);
    if (!slice_starts(tag, str_slice(&prefix)) ||
        !slice_number(slice_skip(tag, prefix.len), s->pre->own_tag, &number))
        return 0;
    return (unsigned)number;
}

/* --- messages ------------------------------------------------------------------------------- */

/* The client's first message of the planned mechanism, in base64. False when it cannot be made. */
static bool add_message(struct session *s, const struct login_plan *plan, struct str *out)
{
    struct slice made = plan->message;
    struct scratch message = {.memory = NULL};
    bool good = true;

    if (plan->form == FORM_PLAIN || plan->form == FORM_OAUTH) {
        if (!scratch_open(s, &message))
            return false;
        good = plan->form == FORM_PLAIN
                   ? sasl_plain_message(plan->authzid, plan->name, plan->secret, &message.text)
                   : sasl_oauth_message(plan->mechanism, plan->name, plan->secret, &message.text);
        made = str_slice(&message.text);
    }
    if (good)
        base64_encode(made, out);
    if (message.memory != NULL)
        scratch_close(&message);
    return good && !out->overflow;
}

static bool send_authenticate(struct session *s, const struct login_plan *plan)
{
    struct scratch line;
    bool good = true;

    if (!scratch_open(s, &line))
        return true;
    add_tag(s, &line.text);
    str_addf(&line.text, "AUTHENTICATE %s", plan->word);
    if (plan->at_once) {
        str_addc(&line.text, ' ');
        size_t before = line.text.len;
        good = add_message(s, plan, &line.text);
        if (line.text.len == before)
            str_addc(&line.text, '='); /* present but empty, RFC 4959 section 3 */
    }
    str_add(&line.text, SLICE("\r\n"));
    s->pre->login_part = plan->at_once ? PART_NONE : PART_MESSAGE;
    if (good)
        return scratch_send(s, &line);
    scratch_close(&line);
    return false;
}

static void add_literal(struct str *out, struct slice value, const char *plus)
{
    str_addf(out, "{%zu%s}\r\n", value.len, plus);
}

/* `tag LOGIN name secret`: both as text, or both as literals, in one go where the backend takes
 * non-synchronising ones. */
static bool send_login(struct session *s, const struct login_plan *plan)
{
    struct scratch line;

    if (!scratch_open(s, &line))
        return true;
    add_tag(s, &line.text);
    str_add(&line.text, SLICE("LOGIN "));
    if (plan->form == FORM_LOGIN_TEXT) {
        write_astring(&line.text, plan->name);
        str_addc(&line.text, ' ');
        write_astring(&line.text, plan->secret);
        str_add(&line.text, SLICE("\r\n"));
    } else {
        add_literal(&line.text, plan->name, plan->at_once ? "+" : "");
    }
    if (plan->form == FORM_LOGIN_LITERALS && plan->at_once) {
        str_add(&line.text, plan->name);
        str_addc(&line.text, ' ');
        add_literal(&line.text, plan->secret, "+");
        str_add(&line.text, plan->secret);
        str_add(&line.text, SLICE("\r\n"));
    }
    s->pre->login_part = plan->form == FORM_LOGIN_TEXT || plan->at_once ? PART_NONE : PART_USER;
    return scratch_send(s, &line);
}

unsigned login_begin(struct session *s, const struct login_plan *plan)
{
    bool login = plan->form == FORM_LOGIN_TEXT || plan->form == FORM_LOGIN_LITERALS;

    if (!(login ? send_login(s, plan) : send_authenticate(s, plan)))
        return 0;
    return s->pre->own_tag;
}

bool login_continue(struct session *s, const struct login_plan *plan)
{
    unsigned part = s->pre->login_part;
    struct scratch line;

    if (part == PART_NONE)
        return false;
    if (!scratch_open(s, &line))
        return true;
    s->pre->login_part = part == PART_USER ? PART_PASSWORD : PART_NONE;
    if (part == PART_MESSAGE) {
        if (!add_message(s, plan, &line.text))
            str_addc(&line.text, '*'); /* cancels: the backend answers BAD */
    } else if (part == PART_USER) {
        str_add(&line.text, plan->name);
        str_addc(&line.text, ' ');
        add_literal(&line.text, plan->secret, "");
    } else {
        str_add(&line.text, plan->secret);
    }
    if (part != PART_USER)
        str_add(&line.text, SLICE("\r\n"));
    if (!scratch_send(s, &line))
        place_next(s, REFUSAL_serverbug, "credentials do not fit a command");
    return true;
}
