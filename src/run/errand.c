/*
 * Sends errands and brings them home. Owns the letters of an errand, all made before the first is
 * posted, so that an errand is sent whole or not at all. Never waits, and never calls back but from
 * the loop.
 */
#include "run/errand.h"

#include <stdlib.h>

struct errand_stop {
    struct letter letter;
    struct errand *errand; /* borrowed */
};

/* The last one to leave brings it home; nobody touches it after that. */
static void leave(struct errand *errand)
{
    struct errands *home = errand->home;

    if (atomic_fetch_sub_explicit(&errand->left, 1, memory_order_acq_rel) > 1)
        return;
    uv_mutex_lock(&home->lock);
    list_append(&home->back, &errand->node);
    uv_async_send(&home->async);
    uv_mutex_unlock(&home->lock);
}

static void on_visit(struct letter *letter, struct worker *worker)
{
    struct errand *errand = container_of(letter, struct errand_stop, letter)->errand;

    if (worker != NULL)
        errand->visit(errand, worker);
    leave(errand);
}

static struct errand *next_back(struct errands *errands)
{
    struct errand *errand = NULL;

    uv_mutex_lock(&errands->lock);
    if (!list_empty(&errands->back)) {
        errand = container_of(errands->back.next, struct errand, node);
        list_unlink(&errand->node);
    }
    uv_mutex_unlock(&errands->lock);
    return errand;
}

static void on_back(uv_async_t *async)
{
    struct errands *errands = container_of(async, struct errands, async);
    struct errand *errand;

    while ((errand = next_back(errands)) != NULL) {
        free(errand->stops);
        errand->stops = NULL;
        errand->done(errand);
    }
}

int errands_init(struct errands *errands, uv_loop_t *loop)
{
    int error = uv_mutex_init(&errands->lock);

    if (error != 0)
        return error;
    errands->workers = NULL;
    errands->worker_count = 0;
    errands->closed = false;
    list_init(&errands->back);
    error = uv_async_init(loop, &errands->async, on_back);
    if (error != 0)
        uv_mutex_destroy(&errands->lock);
    return error;
}

void errands_close(struct errands *errands)
{
    errands->closed = true;
    on_back(&errands->async);
    uv_mutex_destroy(&errands->lock);
    uv_close((uv_handle_t *)&errands->async, NULL);
}

bool errand_send(struct errands *errands, struct errand *errand)
{
    unsigned count = errands->worker_count;

    REQUIRE(count > 0);
    if (errands->closed)
        return false;
    errand->stops = calloc(count, sizeof(*errand->stops));
    if (errand->stops == NULL)
        return false;
    errand->home = errands;
    list_init(&errand->node);
    atomic_init(&errand->left, count);
    for (unsigned i = 0; i < count; i++) {
        struct errand_stop *stop = &errand->stops[i];
        *stop = (struct errand_stop){{.kind = LETTER_VISIT, .visit = on_visit}, errand};
        worker_mail(&errands->workers[i], &stop->letter);
    }
    return true;
}
