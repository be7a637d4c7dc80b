/*
 * Writes down what was counted: `event=metrics` with name and value, one line for each counter that
 * is not zero and for how the last reload ended, and `event=command` for each command of each
 * backend. Owns nothing, changes nothing.
 */
#include "run/report.h"

#include "waypost/base/reason.h"

/* `key` tells values of one name apart; NULL: there is only one. */
static void value_line(const struct log *log, const char *name, const char *key, const char *label,
                       uint64_t value)
{
    struct log_line line;

    if (!log_begin(&line, log, LEVEL_INFO, "metrics"))
        return;
    log_text(&line, "name", slice_str(name));
    if (key != NULL)
        log_text(&line, key, slice_str(label));
    log_num(&line, "value", value);
    log_end(&line);
}

static void counter(const struct log *log, const char *name, const char *key, const char *label,
                    const _Atomic uint64_t *count)
{
    uint64_t value = metric_get(count);

    if (value != 0)
        value_line(log, name, key, label, value);
}

/* A failure is a zero, and worth a line. */
static void last_reload(const struct log *log, const struct metrics *m)
{
    uint64_t at = metric_get(&m->last_reload_at);

    if (at == 0)
        return;
    value_line(log, "last_reload_successful", NULL, NULL, metric_get(&m->last_reload_successful));
    value_line(log, "last_reload_at", NULL, NULL, at);
}

static void process(const struct log *log, const struct metrics *m)
{
    counter(log, "sessions_accepted", NULL, NULL, &m->sessions_accepted);
    counter(log, "sessions_open", NULL, NULL, &m->sessions_open);
    counter(log, "sessions_early", NULL, NULL, &m->sessions_early);
    counter(log, "sessions_relaying", NULL, NULL, &m->sessions_relaying);
    counter(log, "logins_succeeded", NULL, NULL, &m->logins_succeeded);
    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        counter(log, "logins_refused", "why", refusal_table[i].name, &m->logins_refused[i]);
    for (size_t i = 0; i < REASON_COUNT; i++)
        counter(log, "sessions_ended", "reason", reason_table[i].name, &m->sessions_ended[i]);
    for (size_t i = 0; i < LIMITED_COUNT; i++)
        counter(log, "limited", "limit", limited_name[i], &m->limited[i]);
    counter(log, "bytes_to_client", NULL, NULL, &m->bytes_to_client);
    counter(log, "bytes_to_backend", NULL, NULL, &m->bytes_to_backend);
    counter(log, "reloads_failed", NULL, NULL, &m->reloads_failed);
    last_reload(log, m);
}

static void command(const struct log *log, const char *backend, enum verb verb,
                    const struct command_metrics *c)
{
    uint64_t ok = metric_get(&c->ok), no = metric_get(&c->no), bad = metric_get(&c->bad);
    uint32_t median = latency_quantile(c, 50);
    struct log_line line;

    if (ok + no + bad == 0 || !log_begin(&line, log, LEVEL_INFO, "command"))
        return;
    log_text(&line, "backend", slice_str(backend));
    log_text(&line, "command", verb_name[verb]);
    log_num(&line, "ok", ok);
    log_num(&line, "no", no);
    log_num(&line, "bad", bad);
    if (median > 0) {
        log_num(&line, "p50_ms", median);
        log_num(&line, "p99_ms", latency_quantile(c, 99));
    }
    log_end(&line);
}

static void backend(const struct log *log, const char *name, const struct backend_metrics *b)
{
    counter(log, "logins_succeeded", "backend", name, &b->logins_succeeded);
    counter(log, "logins_refused", "backend", name, &b->logins_refused);
    counter(log, "attempts_failed", "backend", name, &b->attempts_failed);
    counter(log, "bytes_to_client", "backend", name, &b->bytes_to_client);
    counter(log, "bytes_to_backend", "backend", name, &b->bytes_to_backend);
    for (size_t verb = 0; verb < VERB_COUNT; verb++)
        command(log, name, (enum verb)verb, &b->commands[verb]);
}

void report(const struct log *log, const struct metrics *metrics, const struct ledger *ledger)
{
    struct log loud = *log;

    if (loud.level < LEVEL_INFO)
        loud.level = LEVEL_INFO;
    process(&loud, metrics);
    for (size_t i = 0; i < ledger->count; i++)
        backend(&loud, ledger->entries[i]->name, &ledger->entries[i]->metrics);
    backend(&loud, "(others)", &ledger->rest);
}
