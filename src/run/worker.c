/*
 * A worker's thread: accepts, runs connections, reads its mail, ends with an empty loop. Owns loop,
 * pool, names, listeners and a generation. Shares nothing but counters, the log sink and immutable
 * generations; never touches another worker.
 */
#include "run/worker.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#define WARNING_EVERY_MS 10000u
#define TRIM_PEAK        64u /* smaller crowds leave nothing worth returning */

static void on_mail(uv_async_t *async);

/* --- connections ------------------------------------------------------------------------------ */

/* After a storm the heap is large and mostly empty: give it back once half of the crowd is gone. */
static void trim(struct worker *w)
{
    if (w->home.count > w->peak)
        w->peak = w->home.count;
    if (w->peak < TRIM_PEAK || w->home.count > w->peak / 2)
        return;
    w->peak = w->home.count;
    pool_trim(&w->pool);
    malloc_trim(0);
}

static void turn_away(struct worker *w, int fd)
{
    uint64_t now = uv_now(&w->loop);
    struct log_line line;

    close(fd);
    metric_add(&w->env.metrics->sessions_ended[REASON_too_many_sessions], 1);
    metric_add(&w->env.metrics->limited[LIMITED_sessions], 1);
    w->turned_away++;
    if (now < w->next_warning ||
        !log_begin(&line, &w->log, reason_table[REASON_too_many_sessions].level, "turned_away"))
        return;
    log_text(&line, "reason", slice_str(reason_table[REASON_too_many_sessions].name));
    log_num(&line, "worker", w->index);
    log_num(&line, "connections", w->turned_away);
    log_num(&line, "limit", w->generation->sessions);
    log_end(&line);
    w->turned_away = 0;
    w->next_warning = now + WARNING_EVERY_MS;
}

/* Whoever opens connections and says nothing pushes out his own. */
static void make_room(struct worker *w)
{
    uint64_t now = uv_now(&w->loop), limit = w->generation->conf->limits.unauthenticated;
    struct log_line line;

    if (limit == 0 || metric_get(&w->env.metrics->sessions_early) <= limit ||
        !conns_evict(&w->home))
        return;
    metric_add(&w->env.metrics->limited[LIMITED_unauthenticated], 1);
    w->evicted++;
    if (now < w->next_eviction || !log_begin(&line, &w->log, LEVEL_WARN, "limited"))
        return;
    log_text(&line, "limit", slice_str(limited_name[LIMITED_unauthenticated]));
    log_num(&line, "worker", w->index);
    log_num(&line, "connections", w->evicted);
    log_end(&line);
    w->evicted = 0;
    w->next_eviction = now + WARNING_EVERY_MS;
}

static void on_accepted(struct doors *doors, const struct conf_listener *conf, int fd,
                        const struct addr *remote)
{
    struct worker *w = container_of(doors, struct worker, doors);

    if (metric_get(&w->env.metrics->sessions_open) >= w->generation->sessions) {
        turn_away(w, fd);
        return;
    }
    if (conn_accept(&w->home, w->generation, conf, fd, remote))
        make_room(w);
    else
        metric_add(&w->env.metrics->sessions_ended[REASON_no_memory], 1);
}

/* The loop ends by itself once nothing is left in it. What the mailbox still holds is the last that
 * is read: whoever waits for an answer gets it. */
static void close_when_empty(struct worker *w)
{
    if (!w->draining || w->home.count > 0 || w->closed)
        return;
    uv_mutex_lock(&w->lock);
    w->closed = true;
    uv_mutex_unlock(&w->lock);
    on_mail(&w->async);
    uv_close((uv_handle_t *)&w->async, NULL);
    review_close(&w->review);
    turnstile_close(&w->turnstile);
    dns_close(&w->dns);
}

static void on_gone(struct conn_home *home)
{
    struct worker *w = container_of(home, struct worker, home);

    trim(w);
    close_when_empty(w);
}

/* --- mail ------------------------------------------------------------------------------------- */

/* `worker` is NULL where the letter was not read. */
static void letter_end(struct letter *letter, struct worker *worker)
{
    if (letter->kind == LETTER_VISIT)
        letter->visit(letter, worker);
    else
        free(letter);
}

static void drain(struct worker *w)
{
    if (!w->draining) {
        w->draining = true;
        doors_close(&w->doors);
        conns_leave(&w->home, REASON_shutdown);
    }
    close_when_empty(w);
}

static void open_letter(struct worker *w, struct letter *letter)
{
    switch (letter->kind) {
    case LETTER_DRAIN:
        drain(w);
        break;
    case LETTER_STOP:
        drain(w);
        conns_abort(&w->home);
        break;
    case LETTER_VISIT:
        break;
    }
    letter_end(letter, w);
}

/* One wake-up may stand for many letters. */
static void on_mail(uv_async_t *async)
{
    struct worker *w = container_of(async, struct worker, async);
    struct list mail;

    list_init(&mail);
    uv_mutex_lock(&w->lock);
    while (!list_empty(&w->mail)) {
        struct list *node = w->mail.next;
        list_unlink(node);
        list_append(&mail, node);
    }
    uv_mutex_unlock(&w->lock);
    while (!list_empty(&mail)) {
        struct list *node = mail.next;
        list_unlink(node);
        open_letter(w, container_of(node, struct letter, node));
    }
}

void worker_mail(struct worker *w, struct letter *letter)
{
    bool closed;

    list_init(&letter->node);
    uv_mutex_lock(&w->lock);
    closed = w->closed;
    if (!closed) {
        list_append(&w->mail, &letter->node);
        uv_async_send(&w->async);
    }
    uv_mutex_unlock(&w->lock);
    if (closed)
        letter_end(letter, NULL);
}

bool worker_post(struct worker *w, enum letter_kind kind)
{
    struct letter *letter = malloc(sizeof(*letter));

    REQUIRE(kind != LETTER_VISIT);
    if (letter == NULL)
        return false;
    *letter = (struct letter){.kind = kind};
    worker_mail(w, letter);
    return true;
}

void worker_disturb(struct worker *w)
{
    uv_mutex_lock(&w->lock);
    if (!w->closed)
        review_ring(&w->review);
    uv_mutex_unlock(&w->lock);
}

/* --- configuration ---------------------------------------------------------------------------- */

void worker_use(struct worker *w, struct generation *generation, struct doors_plan *plan)
{
    struct generation *old = w->generation;

    if (!w->draining)
        doors_leave(&w->doors, plan);
    w->generation = generation_hold(generation);
    if (!w->draining)
        (void)doors_enter(&w->doors, plan, generation->conf);
    w->log.level = generation->level;
    w->log.format = generation->format;
    dns_expire(&w->dns);
    generation_release(&old);
}

/* --- begin and end ---------------------------------------------------------------------------- */

bool worker_init(struct worker *w, unsigned index, const struct worker_setup *setup)
{
    *w = (struct worker){.index = index, .log = *setup->log, .ended = setup->ended};
    list_init(&w->mail);
    if (uv_loop_init(&w->loop) != 0)
        return false;
    if (uv_mutex_init(&w->lock) != 0)
        goto no_lock;
    w->home.loop = &w->loop;
    if (uv_async_init(&w->loop, &w->async, on_mail) != 0)
        goto no_async;
    if (review_init(&w->review, &w->home) != 0 ||
        turnstile_init(&w->turnstile, &w->loop, conn_pass) != 0)
        goto no_review;
    pool_init(&w->pool);
    dns_init(&w->dns, &w->loop);
    w->env = (struct session_env){.log = &w->log, .metrics = setup->metrics, .pool = &w->pool};
    w->home = (struct conn_home){
        .loop = &w->loop,
        .env = &w->env,
        .dns = &w->dns,
        .gate = setup->gate,
        .seating = setup->seating,
        .turnstile = &w->turnstile,
        .gone = on_gone,
    };
    list_init(&w->home.conns);
    list_init(&w->home.early);
    doors_init(&w->doors, &w->loop, &w->log, on_accepted);
    w->generation = generation_hold(setup->generation);
    return true;

no_review:
    uv_close((uv_handle_t *)&w->async, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
no_async:
    uv_mutex_destroy(&w->lock);
no_lock:
    uv_loop_close(&w->loop);
    return false;
}

bool worker_listen(struct worker *w, struct bindings *bindings)
{
    struct doors_plan plan;
    bool good;

    REQUIRE(!w->started);
    if (!doors_prepare(bindings, w->index, &plan))
        return false;
    good = doors_enter(&w->doors, &plan, w->generation->conf);
    doors_plan_fini(&plan);
    return good;
}

static void run(void *arg)
{
    struct worker *w = arg;
    int error;

    uv_run(&w->loop, UV_RUN_DEFAULT);
    dns_fini(&w->dns);
    pool_fini(&w->pool);
    error = uv_loop_close(&w->loop);
    ENSURE(error == 0); /* every handle was closed, every request has ended */
    atomic_store(&w->done, true);
    uv_async_send(w->ended);
}

bool worker_start(struct worker *w)
{
    w->started = uv_thread_create(&w->thread, run, w) == 0;
    return w->started;
}

bool worker_done(const struct worker *w)
{
    return atomic_load(&w->done);
}

void worker_end(struct worker *w)
{
    if (w->started) {
        uv_thread_join(&w->thread);
    } else {
        drain(w);
        run(w);
    }
    uv_mutex_destroy(&w->lock);
    generation_release(&w->generation);
}
