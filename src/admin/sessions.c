/*
 * `who` and `kick`. The first functions of each run on the threads of workers.
 */
#include "admin/commands.h"
#include "admin/sweep.h"

static bool list_one(struct sweep_part *part, struct conn *c, const struct conn_view *view)
{
    char address[ADDR_TEXT];

    UNUSED(c);
    sweep_add(part,
              json_pack("{ss so so so ss ss ss ss? sb sb sI sI sI sI}", /* */
                        "sid", view->id, "user", client_text(view->user), "login",
                        client_text(view->login), "backend", client_text(view->backend), "client",
                        addr_format(&view->client, true, address), "listener", view->listener,
                        "phase", view->phase, "tls", view->tls, "idle", view->resting, "leaving",
                        view->leaving, "age_ms", (json_int_t)view->age, "silent_ms",
                        (json_int_t)view->idle, "bytes_to_client", (json_int_t)view->to_client,
                        "bytes_to_backend", (json_int_t)view->to_backend));
    return true;
}

void command_who(struct control_client *client, const json_t *request)
{
    struct filter filter;

    if (filter_read(&filter, client, request))
        sweep_begin(client, &filter, list_one, "sessions", false);
}

static bool kick_one(struct sweep_part *part, struct conn *c, const struct conn_view *view)
{
    UNUSED(part);
    if (view->leaving)
        return false;
    conn_leave(c, REASON_kicked);
    return true;
}

void command_kick(struct control_client *client, const json_t *request)
{
    struct filter filter;
    bool all = json_is_true(json_object_get(request, "all"));

    if (!filter_read(&filter, client, request))
        return;
    if (all == filter_narrows(&filter))
        client_fail(client, "user, client or backend; or \"all\": true",
                    all ? "\"all\" leaves nothing to choose" : "nothing says whom to kick");
    else
        sweep_begin(client, &filter, kick_one, "kicked", true);
}
