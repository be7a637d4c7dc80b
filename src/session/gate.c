/*
 * Where a session meets the limits of users and addresses: on arrival, at each attempt, when the
 * backend has accepted it, and when it ends. Borrows the gate from the shell, which may not have
 * one: then only the connection's own failures count.
 */
#include "session/phase.h"

#include "waypost/limit/penalty.h"

static bool refuse(struct session *s, enum limited limited, enum refusal refusal)
{
    s->pre->limited = limited;
    refuse_login(s, refusal);
    return false;
}

bool gate_arrive(struct session *s)
{
    if (s->gate == NULL ||
        s->gate->arrive(s->gate->ctx, s->conf, &s->remote, &s->pass, s->now) == LIMITED_none)
        return true;
    session_fail(s, REASON_limited);
    return false;
}

/* Says nothing about the user, because nobody has asked about him yet. It counts as an attempt of
 * this connection, or one connection could try for ever. */
bool gate_attempt(struct session *s)
{
    enum limited limited = LIMITED_none;

    if (s->gate != NULL)
        limited = s->gate->attempt(s->gate->ctx, s->conf, &s->pass, s->now);
    if (limited == LIMITED_none)
        return true;
    s->pre->failures++;
    return refuse(s, limited, REFUSAL_too_often);
}

uint64_t gate_penalty(struct session *s)
{
    const struct conf_auth *auth = &s->conf->auth;

    if (s->gate == NULL)
        return penalty_delay(auth->penalty_first, auth->penalty_max, s->pre->failures);
    return s->gate->failed(s->gate->ctx, s->conf, &s->pass,
                           secret_reveal(&s->pre->credentials.authcid),
                           secret_reveal(&s->pre->credentials.password), s->now);
}

bool gate_admit(struct session *s)
{
    struct slice user = slice_str(s->route->user);
    enum limited limited = LIMITED_none;

    if (s->gate != NULL)
        limited = s->gate->admit(s->gate->ctx, s->conf, user, &s->pass, s->now);
    return limited == LIMITED_none || refuse(s, limited, REFUSAL_limit);
}

void gate_leave(struct session *s)
{
    if (s->gate != NULL)
        s->gate->leave(s->gate->ctx, &s->pass, s->now);
}
