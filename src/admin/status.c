/*
 * `status`: a line for each backend, and one for the process. Reads counters and the fleet; owns
 * nothing.
 */
#include <stdlib.h>
#include <unistd.h>

#include "admin/commands.h"
#include "waypost/base/version.h"

struct status {
    struct control_client *client;
    struct supervisor *supervisor;
    uint64_t now;
};

static json_int_t count(const _Atomic uint64_t *counter)
{
    return (json_int_t)metric_get(counter);
}

static void add_counters(json_t *row, const struct backend_metrics *b)
{
    json_t *more = json_pack(
        "{sI sI sI sI sI}", "logins_succeeded", count(&b->logins_succeeded), "logins_refused",
        count(&b->logins_refused), "attempts_failed", count(&b->attempts_failed), "bytes_to_client",
        count(&b->bytes_to_client), "bytes_to_backend", count(&b->bytes_to_backend));

    json_object_update(row, more);
    json_decref(more);
}

/* Backends that were taken out of the configuration are shown until their last session has ended.
 */
static void say_backend(void *ctx, struct fleet_backend *backend)
{
    const struct status *status = ctx;
    struct supervisor *s = status->supervisor;
    const struct backend_metrics *counters = ledger_find(&s->ledger, fleet_name(backend));
    struct fleet_view view;
    json_t *row;

    fleet_look(&s->fleet, backend, status->now, &view);
    if (!view.configured && view.sessions == 0)
        return;
    row =
        json_pack("{so ss ss so sI sb sb sb sI sI sI}", /* */
                  "backend", client_text(fleet_name(backend)), "state", view.state, "by", view.by,
                  "why", client_text(view.why), "since_ms", (json_int_t)view.since, "configured",
                  view.configured, "set_down", view.set_down, "draining", view.draining, "sessions",
                  (json_int_t)view.sessions, "max_sessions", (json_int_t)view.max_sessions,
                  "logins_failed_in_a_row", (json_int_t)view.logins_failed);
    if (row != NULL && view.probed != FLEET_NEVER)
        json_object_set_new(row, "probed_ms", json_integer((json_int_t)view.probed));
    if (row != NULL && counters != NULL)
        add_counters(row, counters);
    client_say(status->client, row);
}

static json_t *process(const struct status *status)
{
    struct supervisor *s = status->supervisor;
    const struct control *control = client_control(status->client);
    const struct reload_report *reload = &s->reloader.report;
    uint64_t refused = 0;

    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        refused += metric_get(&s->metrics.logins_refused[i]);
    return json_pack(
        "{ss sI sI sI sb so sI sI sI sI sI sI sI sI sI sb sI sI}", /* */
        "version", WAYPOST_VERSION, "pid", (json_int_t)getpid(), "uptime_ms",
        (json_int_t)(status->now - control->began), "workers", (json_int_t)s->worker_count,
        "leaving", s->draining, "configuration", client_text(s->conf_path), "sessions_accepted",
        count(&s->metrics.sessions_accepted), "sessions_open", count(&s->metrics.sessions_open),
        "sessions_early", count(&s->metrics.sessions_early), "sessions_relaying",
        count(&s->metrics.sessions_relaying), "sessions_limit", (json_int_t)s->generation->sessions,
        "logins_succeeded", count(&s->metrics.logins_succeeded), "logins_refused",
        (json_int_t)refused, "bytes_to_client", count(&s->metrics.bytes_to_client),
        "bytes_to_backend", count(&s->metrics.bytes_to_backend), "last_reload_successful",
        reload->successful, "last_reload_at", (json_int_t)reload->at, "reloads",
        (json_int_t)reload->tries);
}

void command_status(struct control_client *client, const json_t *request)
{
    struct supervisor *s = client_control(client)->supervisor;
    struct status status = {client, s, uv_now(&s->loop)};

    UNUSED(request);
    fleet_each(&s->fleet, say_backend, &status);
    client_done(client, process(&status));
}
