/*
 * Opens and closes the control socket, at the start, when another configuration comes into force
 * and at the end. Owns the socket and its clients; runs on the supervisor's loop and never on
 * another.
 */
#include "admin/control.h"

#include <stdlib.h>
#include <string.h>

#include "admin/commands.h"
#include "waypost/admin/admin.h"

static void on_accepted(void *ctx, int fd, const struct addr *remote)
{
    UNUSED(remote);
    client_begin(ctx, fd);
}

/* --- the door --------------------------------------------------------------------------------- */

static struct control_door *first_door(const struct control *control)
{
    return control->open ? container_of(control->doors.next, struct control_door, node) : NULL;
}

/* Its memory is kept until the end, because its handles need a moment to close. */
static void close_door(struct control *control)
{
    struct control_door *door = first_door(control);

    if (door == NULL)
        return;
    socket_name_remove(&door->name);
    listener_stop(&door->listener, NULL);
    control->open = false;
}

static void free_door(struct control_door *door)
{
    if (door == NULL)
        return;
    free(door->group);
    free(door);
}

static struct control_door *new_door(struct control *control, const struct conf_control *conf,
                                     struct str *why)
{
    struct control_door *door = calloc(1, sizeof(*door));
    struct supervisor *s = control->supervisor;
    int fd;

    if (door == NULL || (conf->group != NULL && (door->group = strdup(conf->group)) == NULL)) {
        str_add(why, SLICE("out of memory"));
    } else if (socket_name_open(conf->socket, conf->group, &fd, &door->name, why)) {
        if (listener_start(&door->listener, &s->loop, fd, "control", &s->log, on_accepted, control))
            return door;
        str_add(why, SLICE("control socket: cannot be listened at"));
    }
    free_door(door);
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* What is open already is left alone. False, with `why`: nothing has changed. */
static bool open_door(struct control *control, struct str *why)
{
    const struct conf_control *conf = &control->supervisor->generation->conf->control;
    struct control_door *old = first_door(control), *door;

    if (conf->socket == NULL) {
        close_door(control);
        return true;
    }
    if (old != NULL && same_text(old->name.path, conf->socket) &&
        same_text(old->group, conf->group))
        return true;
    if (old != NULL && same_text(old->name.path, conf->socket))
        close_door(control); /* the name is needed for the new one */
    door = new_door(control, conf, why);
    if (door == NULL)
        return false;
    close_door(control);
    list_init(&door->node);
    list_append(control->doors.next, &door->node); /* to the front */
    control->open = true;
    return true;
}

/* --- for the supervisor ----------------------------------------------------------------------- */

static bool admin_open(struct supervisor *s, struct str *why)
{
    struct control *control = calloc(1, sizeof(*control));

    if (control == NULL) {
        str_add(why, SLICE("out of memory"));
        return false;
    }
    control->supervisor = s;
    control->patience = CONTROL_PATIENCE_MS;
    control->began = uv_now(&s->loop);
    list_init(&control->doors);
    list_init(&control->clients);
    list_init(&control->drains);
    s->admin_state = control;
    return open_door(control, why);
}

static void admin_follow(struct supervisor *s)
{
    char storage[LIMIT_LOG_TEXT];
    struct str why = STR_ON(storage);

    if (!open_door(s->admin_state, &why))
        log_note(&s->log, LEVEL_ERROR, "control_not_opened", "error", storage);
}

static void admin_close(struct supervisor *s)
{
    struct control *control = s->admin_state;

    if (control == NULL)
        return;
    close_door(control);
    while (!list_empty(&control->clients))
        client_close(client_of(control->clients.next));
    drains_close(control);
}

static void admin_fini(struct supervisor *s)
{
    struct control *control = s->admin_state;

    s->admin_state = NULL;
    if (control == NULL)
        return;
    for (struct list *node = control->doors.next, *next; node != &control->doors; node = next) {
        next = node->next;
        free_door(container_of(node, struct control_door, node));
    }
    free(control);
}

const struct supervisor_admin admin_control = {admin_open, admin_follow, admin_close, admin_fini};
