/*
 * Lets one pass in each turn. Owns two handles of the loop, which run only while somebody waits.
 */
#include "run/turnstile.h"

static void on_idle(uv_idle_t *idle)
{
    UNUSED(idle);
}

static void on_check(uv_check_t *check)
{
    struct turnstile *t = container_of(check, struct turnstile, check);

    if (!turnstile_free(t)) {
        struct list *node = t->queue.next;
        list_unlink(node);
        t->pass(node);
    }
    if (turnstile_free(t)) {
        uv_check_stop(&t->check);
        uv_idle_stop(&t->idle);
    }
}

int turnstile_init(struct turnstile *t, uv_loop_t *loop, void (*pass)(struct list *node))
{
    int error;

    list_init(&t->queue);
    t->pass = pass;
    error = uv_check_init(loop, &t->check);
    return error != 0 ? error : uv_idle_init(loop, &t->idle); /* neither can fail */
}

void turnstile_queue(struct turnstile *t, struct list *node)
{
    if (!list_empty(node))
        return;
    list_append(&t->queue, node);
    uv_check_start(&t->check, on_check);
    uv_idle_start(&t->idle, on_idle);
}

void turnstile_close(struct turnstile *t)
{
    uv_close((uv_handle_t *)&t->check, NULL);
    uv_close((uv_handle_t *)&t->idle, NULL);
}
