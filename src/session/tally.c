/*
 * What is counted for each backend: logins, bytes, commands and how long they took. Borrows the
 * counters from the shell, which may not have any; never reads them.
 */
#include "session/phase.h"

/* Of the backend that this session is at; NULL: not counted. */
static struct backend_metrics *counters(const struct session *s)
{
    return s->counters == NULL || s->target == NULL ? NULL : s->counters[s->target->index];
}

void tally_login(struct session *s)
{
    struct backend_metrics *b = counters(s);

    metric_add(&s->env->metrics->logins_succeeded, 1);
    if (b != NULL)
        metric_add(&b->logins_succeeded, 1);
}

void tally_refusal(struct session *s, enum refusal refusal)
{
    struct backend_metrics *b = counters(s);

    metric_add(&s->env->metrics->logins_refused[refusal], 1);
    /* Without a lease it is not the last candidate that has refused: there is none left. */
    if (b != NULL && s->lease.held)
        metric_add(&b->logins_refused, 1);
}

void tally_failure(struct session *s)
{
    struct backend_metrics *b = counters(s);

    if (b != NULL)
        metric_add(&b->attempts_failed, 1);
}

void tally_to_client(struct session *s, size_t n)
{
    struct backend_metrics *b = counters(s);

    s->bytes_to_client += n;
    metric_add(&s->env->metrics->bytes_to_client, n);
    if (b != NULL)
        metric_add(&b->bytes_to_client, n);
}

void tally_to_backend(struct session *s, size_t n)
{
    struct backend_metrics *b = counters(s);

    s->bytes_to_backend += n;
    metric_add(&s->env->metrics->bytes_to_backend, n);
    if (b != NULL)
        metric_add(&b->bytes_to_backend, n);
}

void tally_landing(struct track *t, const struct track_landing *landing)
{
    struct backend_metrics *b = counters(container_of(t, struct session, track));
    struct command_metrics *c;

    if (b == NULL)
        return;
    c = &b->commands[landing->verb];
    if (landing->status == STATUS_OK)
        metric_add(&c->ok, 1);
    else
        metric_add(landing->status == STATUS_NO ? &c->no : &c->bad, 1);
    if (landing->timed)
        latency_add(c, landing->ms);
}
