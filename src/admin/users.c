/*
 * `move` and `hold`: where one user is, and whether he may log in. Owns a move until it has been
 * carried out or given up, also when its client leaves, so that a user is never left half moved.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/commands.h"
#include "run/move.h"
#include "waypost/conf/value.h"

#define HOLD_MAX 3600000u

struct order {
    struct move move;
    struct control_task task;
    struct control_client *client; /* borrowed; NULL: it has left */
    const struct fleet_backend *to;
};

/* --- move ------------------------------------------------------------------------------------- */

static void answer(struct control_client *client, const struct fleet_backend *to, uint64_t sessions,
                   uint64_t ms)
{
    client_done(client, json_pack("{so sI sI}", "backend", client_text(fleet_name(to)), "sessions",
                                  (json_int_t)sessions, "ms", (json_int_t)ms));
}

static void on_moved(struct move *move, bool moved)
{
    struct order *order = container_of(move, struct order, move);
    struct control_client *client = order->client;

    if (client != NULL && moved)
        answer(client, order->to, move->sessions,
               uv_now(&client_control(client)->supervisor->loop) - move->began);
    else if (client != NULL)
        client_fail(client, NULL, "not all sessions have ended in time: the user was not moved");
    free(order);
}

static void on_gone(struct control_task *task)
{
    container_of(task, struct order, task)->client = NULL;
}

static bool is_there(struct supervisor *s, uint64_t key, const struct fleet_backend *to)
{
    struct registry_view view;

    return registry_look(&s->registry, key, s->generation->conf->placement.linger, uv_now(&s->loop),
                         &view) &&
           view.at == to && view.ordered == NULL;
}

static void begin(struct control_client *client, const char *user, const struct fleet_backend *to)
{
    struct supervisor *s = client_control(client)->supervisor;
    const struct conf *conf = s->generation->conf;
    /* Half of it is more than a session that was told takes to end. */
    uint64_t patience = conf->timeouts.drain + conf->placement.settle + 2 * CONN_LINGER_MS;
    struct order *order = calloc(1, sizeof(*order));
    char storage[256];
    struct str why = STR_ON(storage);

    if (order == NULL)
        str_add(&why, SLICE("out of memory"));
    if (order != NULL) {
        *order = (struct order){{.done = on_moved}, {.gone = on_gone}, client, to};
        if (move_begin(&order->move, s, user, fleet_name(to), patience, &why)) {
            client_await(client, &order->task);
            return;
        }
    }
    free(order);
    client_fail(client, NULL, "%s", storage);
}

void command_move(struct control_client *client, const json_t *request)
{
    struct supervisor *s = client_control(client)->supervisor;
    const char *user = json_string_value(json_object_get(request, "user"));
    struct fleet_backend *to = commands_backend(client, request);
    char storage[256];
    struct str why = STR_ON(storage);
    struct fleet_view view;
    uint64_t key;

    if (to == NULL)
        return;
    fleet_look(&s->fleet, to, uv_now(&s->loop), &view);
    if (!move_key(s, user, fleet_name(to), &key, &why))
        client_fail(client, "a user and a backend of one cluster", "%s", storage);
    else if (strcmp(view.state, "up") != 0)
        client_fail(client, "a backend that is up", "\"%.64s\" is %s", fleet_name(to), view.state);
    else if (is_there(s, key, to))
        answer(client, to, 0, 0);
    else
        begin(client, user, to);
}

/* --- hold ------------------------------------------------------------------------------------- */

void command_hold(struct control_client *client, const json_t *request)
{
    struct supervisor *s = client_control(client)->supervisor;
    const char *user = json_string_value(json_object_get(request, "user"));
    const char *duration = json_string_value(json_object_get(request, "duration"));
    char storage[256];
    struct str why = STR_ON(storage);
    uint64_t ms;

    if (!value_duration(slice_str(duration), HOLD_MAX, &ms))
        client_fail(client, HOLD_TIMES, "\"duration\" cannot be read");
    else if (move_hold(s, user, ms, &why))
        client_done(client,
                    json_pack("{so sI}", "user", client_text(user), "held_ms", (json_int_t)ms));
    else
        client_fail(client, NULL, "%s", storage);
}
