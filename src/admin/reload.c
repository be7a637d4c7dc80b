/*
 * `reload`: asks for one and tells how it went. Owns the waiter until its client has been answered
 * or has left.
 */
#include <stdlib.h>

#include "admin/commands.h"
#include "run/reload.h"

struct reload_wait {
    struct reload_waiter waiter;
    struct control_task task;
    struct control_client *client; /* borrowed */
};

static json_t *finding(const struct conf_error *error)
{
    return json_pack("{so sI so so}", "file", client_text(error->file), "line",
                     (json_int_t)error->line, "pointer", client_text(error->pointer), "text",
                     client_text(error->text));
}

static void answer(struct control_client *client, const struct reload_report *report)
{
    for (size_t i = 0; report != NULL && i < report->errors.count; i++)
        client_say(client, finding(&report->errors.list[i]));
    if (report == NULL)
        client_fail(client, NULL, "the proxy is leaving");
    else if (report->successful)
        client_done(client, json_object());
    else
        client_fail(client, NULL, "the configuration in force stays in force");
}

static void on_reloaded(struct reload_waiter *waiter, const struct reload_report *report)
{
    struct reload_wait *wait = container_of(waiter, struct reload_wait, waiter);
    struct control_client *client = wait->client;

    client_forget(client);
    free(wait);
    answer(client, report);
}

static void on_gone(struct control_task *task)
{
    struct reload_wait *wait = container_of(task, struct reload_wait, task);

    reload_forget(&wait->waiter);
    free(wait);
}

void command_reload(struct control_client *client, const json_t *request)
{
    struct supervisor *s = client_control(client)->supervisor;
    struct reload_wait *wait = calloc(1, sizeof(*wait));

    UNUSED(request);
    if (wait == NULL) {
        client_fail(client, NULL, "out of memory");
        return;
    }
    *wait = (struct reload_wait){{.done = on_reloaded}, {.gone = on_gone}, client};
    list_init(&wait->waiter.node);
    if (reload_request(s, "control", &wait->waiter)) {
        client_await(client, &wait->task);
    } else {
        free(wait);
        answer(client, NULL);
    }
}
