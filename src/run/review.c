/*
 * Rings become looks here. Owns an async and a timer of the worker's loop; borrows its connections.
 */
#include "run/review.h"

static void on_timer(uv_timer_t *timer)
{
    struct review *review = container_of(timer, struct review, timer);

    review->next = uv_now(timer->loop) + REVIEW_EVERY_MS;
    conns_review(review->home);
}

static void on_ring(uv_async_t *async)
{
    struct review *review = container_of(async, struct review, async);
    uint64_t now = uv_now(async->loop);

    if (!uv_is_active((uv_handle_t *)&review->timer))
        uv_timer_start(&review->timer, on_timer, review->next > now ? review->next - now : 0, 0);
}

int review_init(struct review *review, struct conn_home *home)
{
    *review = (struct review){.home = home};
    int error = uv_async_init(home->loop, &review->async, on_ring);

    if (error == 0)
        error = uv_timer_init(home->loop, &review->timer); /* cannot fail */
    return error;
}

void review_ring(struct review *review)
{
    uv_async_send(&review->async);
}

void review_close(struct review *review)
{
    uv_close((uv_handle_t *)&review->async, NULL);
    uv_close((uv_handle_t *)&review->timer, NULL);
}
