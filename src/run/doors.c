/*
 * Opens and closes a worker's listeners as configurations come and go. Owns them and their
 * descriptors; borrows their configuration. What follows a plan allocates nothing.
 */
#include "run/doors.h"

#include <stdlib.h>
#include <unistd.h>

/* --- the plan --------------------------------------------------------------------------------- */

bool doors_prepare(struct bindings *bindings, unsigned worker, struct doors_plan *out)
{
    struct doors_plan plan = {.count = bindings->count};
    bool good;

    plan.list = calloc(plan.count, sizeof(struct door *));
    plan.kept = calloc(plan.count, sizeof(*plan.kept));
    good = plan.list != NULL && plan.kept != NULL;
    for (size_t i = 0; good && i < plan.count; i++) {
        plan.kept[i] = bindings->list[i].kept;
        if (plan.kept[i] == BINDING_NEW)
            good = (plan.list[i] = calloc(1, sizeof(struct door))) != NULL;
        if (plan.list[i] != NULL)
            plan.list[i]->fd = -1;
    }
    if (!good) {
        doors_plan_fini(&plan);
        return false;
    }
    for (size_t i = 0; i < plan.count; i++) {
        if (plan.list[i] != NULL)
            plan.list[i]->fd = bindings_take(bindings, i, worker);
    }
    *out = plan;
    return true;
}

void doors_plan_fini(struct doors_plan *plan)
{
    for (size_t i = 0; plan->list != NULL && i < plan->count; i++) {
        if (plan->list[i] != NULL && plan->list[i]->fd >= 0)
            close(plan->list[i]->fd);
        free(plan->list[i]);
    }
    free(plan->list);
    free(plan->kept);
    *plan = (struct doors_plan){.count = 0};
}

/* --- following it ----------------------------------------------------------------------------- */

static void on_accepted(void *ctx, int fd, const struct addr *remote)
{
    struct door *door = ctx;

    door->doors->accepted(door->doors, door->conf, fd, remote);
}

static void on_closed(void *ctx)
{
    free(ctx);
}

static void close_door(struct door *door)
{
    if (door->listener.open)
        listener_stop(&door->listener, on_closed);
    else
        free(door); /* the loop never had it */
}

static bool open_door(struct doors *doors, struct door *door)
{
    int fd = door->fd;

    door->doors = doors;
    door->fd = -1;
    if (listener_start(&door->listener, doors->loop, fd, door->conf->name, doors->log, on_accepted,
                       door))
        return true;
    log_note(doors->log, LEVEL_ERROR, "listener_failed", "listener", door->conf->name);
    return false;
}

static bool keeps(const struct doors_plan *plan, size_t door)
{
    bool kept = false;

    for (size_t i = 0; i < plan->count && !kept; i++)
        kept = plan->kept[i] == door;
    return kept;
}

void doors_init(struct doors *doors, uv_loop_t *loop, const struct log *log,
                doors_accepted *accepted)
{
    *doors = (struct doors){.loop = loop, .log = log, .accepted = accepted};
}

void doors_leave(struct doors *doors, const struct doors_plan *plan)
{
    for (size_t i = 0; i < doors->count; i++) {
        if (keeps(plan, i))
            continue;
        if (doors->list[i]->listener.open)
            listener_sweep(&doors->list[i]->listener);
        close_door(doors->list[i]);
        doors->list[i] = NULL;
    }
}

bool doors_enter(struct doors *doors, struct doors_plan *plan, const struct conf *conf)
{
    bool good = true;

    REQUIRE(plan->count == conf->listener_count);
    for (size_t i = 0; i < plan->count; i++) {
        struct door *fresh = plan->list[i];
        if (fresh == NULL)
            plan->list[i] = doors->list[plan->kept[i]];
        plan->list[i]->conf = &conf->listeners[i];
        plan->list[i]->listener.name = conf->listeners[i].name;
        if (fresh != NULL)
            good = open_door(doors, fresh) && good;
    }
    free(doors->list);
    doors->list = plan->list;
    doors->count = plan->count;
    plan->list = NULL;
    return good;
}

void doors_close(struct doors *doors)
{
    for (size_t i = 0; i < doors->count; i++)
        close_door(doors->list[i]);
    free(doors->list);
    doors->list = NULL;
    doors->count = 0;
}
