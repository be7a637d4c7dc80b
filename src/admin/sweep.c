/*
 * Owns itself, from the request to the last answer, and ends early when its client leaves. A round
 * is one errand; the next one sets out when the lines of the last were taken.
 */
#include "admin/sweep.h"

#include <stdlib.h>

#include "run/errand.h"
#include "waypost/base/check.h"

/* Connections that one visit looks at: with fewer of all workers' lines in memory the more there
 * are. */
#define VISIT_MOST  512u
#define VISIT_LEAST 64u
#define ROUND       8192u

struct sweep {
    struct errand errand;
    struct control_task task;
    struct errands *errands;       /* borrowed */
    struct control_client *client; /* borrowed; NULL: it has left */
    bool busy;                     /* an errand is under way, or what it brought is handed over */
    bool acts;                     /* goes on without its client */
    struct filter filter;
    sweep_visit *visit;
    const char *total;
    size_t most;
    unsigned count;
    struct sweep_part parts[];
};

struct visit {
    struct sweep *sweep;
    struct sweep_part *part;
};

static void sweep_free(struct sweep *sweep)
{
    for (unsigned i = 0; i < sweep->count; i++)
        free(sweep->parts[i].lines);
    free(sweep);
}

/* --- on a worker's thread --------------------------------------------------------------------- */

static bool make_room(struct sweep_part *part, size_t more)
{
    size_t room = part->room == 0 ? 4096 : part->room;
    char *lines;

    while (room - part->len < more)
        room *= 2;
    if (room == part->room)
        return true;
    lines = realloc(part->lines, room);
    if (lines == NULL)
        return false;
    part->lines = lines;
    part->room = room;
    return true;
}

void sweep_add(struct sweep_part *part, json_t *object)
{
    size_t len = object == NULL ? 0 : json_dumpb(object, NULL, 0, JSON_COMPACT);

    if (len > 0 && make_room(part, len + 1)) {
        (void)json_dumpb(object, part->lines + part->len, len, JSON_COMPACT);
        part->len += len;
        part->lines[part->len++] = '\n';
    } else {
        part->failed = true;
    }
    json_decref(object);
}

static void on_conn(void *ctx, struct conn *c)
{
    struct visit *visit = ctx;
    struct conn_view view;

    conn_look(c, &view);
    if (filter_admits(&visit->sweep->filter, &view) && visit->sweep->visit(visit->part, c, &view))
        visit->part->found++;
}

static void on_visit(struct errand *errand, struct worker *worker)
{
    struct sweep *sweep = container_of(errand, struct sweep, errand);
    struct sweep_part *part = &sweep->parts[worker->index];
    struct visit visit = {sweep, part};

    if (part->more)
        part->more = conns_some(&worker->home, &part->cursor, sweep->most, on_conn, &visit);
}

/* --- on the supervisor's ---------------------------------------------------------------------- */

static void end(struct sweep *sweep, bool failed)
{
    struct control_client *client = sweep->client;
    uint64_t found = 0;

    for (unsigned i = 0; i < sweep->count; i++)
        found += sweep->parts[i].found;
    if (client != NULL && failed)
        client_fail(client, NULL, "out of memory, or the proxy is leaving");
    else if (client != NULL)
        client_done(client, json_pack("{sI}", sweep->total, (json_int_t)found));
    sweep_free(sweep);
}

static void next_round(struct sweep *sweep)
{
    bool more = false;

    for (unsigned i = 0; i < sweep->count; i++)
        more |= sweep->parts[i].more;
    if (!more) {
        end(sweep, false);
        return;
    }
    sweep->busy = true;
    if (!errand_send(sweep->errands, &sweep->errand))
        end(sweep, true);
}

/* Hands over the lines; true when there were some. */
static bool hand_over(struct sweep *sweep, struct sweep_part *part)
{
    char *lines = part->lines;

    if (part->len == 0 || sweep->client == NULL)
        return false;
    part->lines = NULL;
    client_write(sweep->client, lines, part->len);
    part->len = part->room = 0;
    return true;
}

static void on_done(struct errand *errand)
{
    struct sweep *sweep = container_of(errand, struct sweep, errand);
    bool failed = false, wrote = false;

    for (unsigned i = 0; i < sweep->count; i++) {
        failed |= sweep->parts[i].failed;
        wrote |= hand_over(sweep, &sweep->parts[i]);
    }
    sweep->busy = false;
    if (failed || (sweep->client == NULL && !sweep->acts))
        end(sweep, failed);
    else if (!wrote || sweep->client == NULL)
        next_round(sweep);
}

static void on_flushed(struct control_task *task)
{
    struct sweep *sweep = container_of(task, struct sweep, task);

    if (!sweep->busy)
        next_round(sweep);
}

static void on_gone(struct control_task *task)
{
    struct sweep *sweep = container_of(task, struct sweep, task);

    sweep->client = NULL;
    if (!sweep->busy)
        sweep_free(sweep);
}

void sweep_begin(struct control_client *client, const struct filter *filter, sweep_visit *visit,
                 const char *total, bool acts)
{
    struct supervisor *s = client_control(client)->supervisor;
    unsigned count = s->worker_count;
    struct sweep *sweep = calloc(1, sizeof(*sweep) + count * sizeof(sweep->parts[0]));
    size_t share = ROUND / count;

    if (sweep == NULL) {
        client_fail(client, NULL, "out of memory");
        return;
    }
    sweep->errand = (struct errand){.visit = on_visit, .done = on_done};
    sweep->task = (struct control_task){on_flushed, on_gone};
    sweep->errands = &s->errands;
    sweep->client = client;
    sweep->acts = acts;
    sweep->filter = *filter;
    sweep->visit = visit;
    sweep->total = total;
    sweep->count = count;
    sweep->most = share > VISIT_MOST ? VISIT_MOST : share < VISIT_LEAST ? VISIT_LEAST : share;
    for (unsigned i = 0; i < count; i++)
        sweep->parts[i].more = true;
    client_await(client, &sweep->task);
    next_round(sweep);
}
