/*
 * `down`, `up` and `undrain`: the operator's own say about a backend, which no probe changes.
 */
#include "admin/commands.h"
#include "waypost/conf/suggest.h"

static void offer(void *ctx, struct fleet_backend *b)
{
    suggest_offer(ctx, fleet_name(b));
}

struct fleet_backend *commands_backend(struct control_client *client, const json_t *request)
{
    struct fleet *fleet = &client_control(client)->supervisor->fleet;
    const char *name = json_string_value(json_object_get(request, "backend"));
    struct fleet_backend *found = fleet_find(fleet, name);
    struct suggest suggest = suggest_for(slice_str(name));
    char storage[128];
    struct str hint = STR_ON(storage);

    if (found != NULL)
        return found;
    fleet_each(fleet, offer, &suggest);
    suggest_add(&suggest, &hint);
    client_fail(client, "the name of a backend", "there never was a backend \"%.64s\"%s", name,
                storage);
    return NULL;
}

void commands_answer(struct control_client *client, const struct fleet_backend *b)
{
    struct supervisor *s = client_control(client)->supervisor;
    struct fleet_view view;

    fleet_look(&s->fleet, b, uv_now(&s->loop), &view);
    client_done(client, json_pack("{so ss sI}", "backend", client_text(fleet_name(b)), "state",
                                  view.state, "sessions", (json_int_t)view.sessions));
}

static void set_down(struct control_client *client, const json_t *request, bool down)
{
    struct fleet_backend *b = commands_backend(client, request);

    if (b == NULL)
        return;
    fleet_set_down(&client_control(client)->supervisor->fleet, b, down);
    commands_answer(client, b);
}

void command_down(struct control_client *client, const json_t *request)
{
    set_down(client, request, true);
}

void command_up(struct control_client *client, const json_t *request)
{
    set_down(client, request, false);
}

void command_undrain(struct control_client *client, const json_t *request)
{
    struct control *control = client_control(client);
    struct fleet_backend *b = commands_backend(client, request);

    if (b == NULL)
        return;
    fleet_set_draining(&control->supervisor->fleet, b, false);
    drain_stop(control, b, "the backend takes new users again");
    commands_answer(client, b);
}
