/*
 * `user`: where the sessions of one user are, or would have to be, in a cluster. Looks only; owns
 * nothing.
 */
#include "admin/commands.h"
#include "run/registry.h"

static json_t *name_of(const struct fleet_backend *backend)
{
    return client_text(backend == NULL ? NULL : fleet_name(backend));
}

void command_user(struct control_client *client, const json_t *request)
{
    struct supervisor *s = client_control(client)->supervisor;
    const char *login = json_string_value(json_object_get(request, "user"));
    const char *cluster = json_string_value(json_object_get(request, "cluster"));
    uint64_t key = registry_key(&s->registry, cluster, slice_str(login));
    uint64_t now = uv_now(&s->loop);
    struct registry_view view = {.at = NULL};

    (void)registry_look(&s->registry, key, s->generation->conf->placement.linger, now, &view);
    client_done(client, json_pack("{so so sb sI sI sI}", /* */
                                  "backend", name_of(view.at), "moving_to", name_of(view.ordered),
                                  "pinned", view.pinned, "logins", (json_int_t)view.logins,
                                  "sessions", (json_int_t)view.sessions, "held_ms",
                                  (json_int_t)(view.held_until > now ? view.held_until - now : 0)));
}
