/*
 * How a login ends that was not accepted (RFC 5530): what the client is told and when, what is
 * counted and logged. Wrong password, unknown user and denied user cannot be told apart here, not
 * even by time (RFC 9051 section 11.7). Outages are no guesses and are answered at once.
 */
#include "session/phase.h"

#include <stdlib.h>

/* As the client wrote it; once a login was accepted, as the table has it. */
static struct slice name_of(const struct session *s)
{
    return s->pre->credentials.authcid.len > 0 || s->user == NULL
               ? secret_reveal(&s->pre->credentials.authcid)
               : slice_str(s->user);
}

/* One stable line for each failed login, at once, so that what counts failures need not wait for
 * the end of the connection. */
static void log_refusal(struct session *s, enum refusal refusal, struct slice user)
{
    struct log_line line;

    if (!session_log(s, &line, LEVEL_INFO, "login_refused"))
        return;
    log_text(&line, "user", user);
    log_text(&line, "why", slice_str(refusal_table[refusal].name));
    log_text(&line, "guess", refusal_table[refusal].guess ? SLICE("yes") : SLICE("no"));
    if (s->pre->limited != LIMITED_none)
        log_text(&line, "limit", slice_str(limited_name[s->pre->limited]));
    if (s->target != NULL)
        log_text(&line, "backend", slice_str(s->target->name));
    if (s->lease.fact == LEASE_FAILED)
        log_text(&line, "detail", slice_str(s->lease.why));
    log_end(&line);
}

/* How long a backend would have taken to say no: one of the latest samples (RFC 9051 section
 * 11.7: a user that is not there must not be told apart by the time). */
static uint64_t pretended_delay(struct session *s)
{
    const struct rejections *seen = &s->env->rejections;

    if (seen->count == 0)
        return 0;
    return seen->sample[session_random(s) % seen->count];
}

static void remember_rejection(struct session *s)
{
    struct rejections *seen = &s->env->rejections;

    seen->sample[seen->next] = (uint32_t)(s->now - s->pre->attempt_began);
    seen->next = (seen->next + 1) % (unsigned)COUNT_OF(seen->sample);
    if (seen->count < COUNT_OF(seen->sample))
        seen->count++;
}

/* Nothing of the attempt is kept, and the backend is let go. */
static void end_attempt(struct session *s)
{
    credentials_clear(&s->pre->credentials);
    s->pre->limited = LIMITED_none;
    free(s->route);
    s->route = NULL;
    s->target = NULL;
    place_hang_up(s);
}

void refuse_login(struct session *s, enum refusal refusal)
{
    uint64_t answer_at = s->now;

    s->pre->refusal = refusal;
    tally_refusal(s, refusal);
    log_refusal(s, refusal, name_of(s));
    if (refusal_table[refusal].guess) {
        s->pre->failures++;
        if (s->pre->judged_by_backend)
            remember_rejection(s);
        else
            answer_at += pretended_delay(s);
        answer_at += gate_penalty(s);
    }
    end_attempt(s);
    session_move(s, PHASE_REFUSE, answer_at);
}

void refuse_cancelled(struct session *s)
{
    /* The challenge behind a token is its refusal (RFC 7628 section 3.2.3): cancelling there hides
     * no guess. Any other exchange costs a backend a connection, so it may not be had for ever. */
    if (s->pre->credentials.kind == CREDENTIAL_TOKEN) {
        s->pre->judged_by_backend = true;
        refuse_login(s, REFUSAL_cancelled);
        return;
    }
    end_attempt(s);
    command_enter(s);
    command_bad(s, slice_of(s->pre->tag, s->pre->tag_len), "Authentication cancelled.");
}

enum step refuse_step(struct session *s)
{
    UNUSED(s);
    return STILL;
}

void refuse_late(struct session *s)
{
    const struct refusal_row *row = &refusal_table[s->pre->refusal];

    if (s->pre->refusal == REFUSAL_forwarded) {
        session_say(s, "%.*s NO ", SLICE_ARG(slice_of(s->pre->tag, s->pre->tag_len)));
        session_tell(s, secret_reveal(&s->pre->forwarded));
        session_say(s, "\r\n");
        secret_clear(&s->pre->forwarded);
    } else if (s->pre->refusal == REFUSAL_cancelled) {
        session_say(s, "%.*s BAD %s\r\n", SLICE_ARG(slice_of(s->pre->tag, s->pre->tag_len)),
                    row->text);
    } else if (row->guess) {
        session_say(s, "%.*s NO [%s] %s\r\n", SLICE_ARG(slice_of(s->pre->tag, s->pre->tag_len)),
                    row->code, row->text);
    } else {
        /* The session's id lets support find the log line. */
        session_say(s, "%.*s NO [%s] %s [%s]\r\n",
                    SLICE_ARG(slice_of(s->pre->tag, s->pre->tag_len)), row->code, row->text, s->id);
    }
    if (s->pre->failures >= s->conf->auth.attempts_per_connection) {
        session_fail(s, REASON_too_many_failures);
        return;
    }
    s->login_until = s->now + s->conf->timeouts.login;
    command_enter(s);
}
