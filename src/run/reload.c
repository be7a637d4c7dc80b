/*
 * Reload: build first, on a thread of libuv's pool, and swap last: an errand takes the generation
 * to every worker. Owns the generation under way and the report of the last load; whoever was
 * accepted under the old generation keeps it.
 */
#include "run/reload.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run/process.h"
#include "run/supervisor_state.h"

#define NS_PER_MS 1000000u

/* --- telling ---------------------------------------------------------------------------------- */

static void tell_manager(void)
{
    char state[64];
    struct str text = STR_ON(state);

    str_addf(&text, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(uv_hrtime() / 1000));
    process_notify(state);
}

static void tell(struct list *waiters, const struct reload_report *report)
{
    while (!list_empty(waiters)) {
        struct reload_waiter *waiter = container_of(waiters->next, struct reload_waiter, node);
        list_unlink(&waiter->node);
        waiter->done(waiter, report);
    }
}

static void say_reloaded(struct supervisor *s)
{
    struct log_line line;

    if (!log_begin(&line, &s->log, LEVEL_INFO, "reloaded"))
        return;
    log_text(&line, "file", slice_str(s->conf_path));
    log_num(&line, "ms", (uv_hrtime() - s->reloader.begun) / NS_PER_MS);
    log_end(&line);
}

static void note_report(struct supervisor *s, bool successful)
{
    struct reload_report *report = &s->reloader.report;

    report->successful = successful;
    report->at = (uint64_t)time(NULL);
    metric_set(&s->metrics.last_reload_successful, successful);
    metric_set(&s->metrics.last_reload_at, report->at);
}

static void begin(struct supervisor *s);

/* However it went. Who asks again when told is behind this load still. */
static void end(struct supervisor *s, bool good)
{
    struct reloader *r = &s->reloader;

    conf_errors_clear(&r->report.errors);
    r->report.errors = r->errors;
    r->errors = (struct conf_errors){.list = NULL};
    r->report.tries++;
    note_report(s, good);
    if (!s->draining)
        watch_use(&r->watch, &r->files, s->generation->conf->watch);
    tell(&r->now, &r->report);
    r->loading = false;
    if (r->again)
        begin(s);
    else if (!s->draining)
        process_notify("READY=1");
}

/* --- putting in force ------------------------------------------------------------------------- */

static void use_log(struct supervisor *s)
{
    const char *to = s->generation->conf->log.to;
    int error = logger_reopen(&s->logger, to);

    s->log.level = s->generation->level;
    s->log.format = s->generation->format;
    if (error != 0)
        log_note(&s->log, LEVEL_ERROR, "log_not_reopened", "error",
                 uv_strerror(uv_translate_sys_error(error)));
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Compares with the start, not with the last reload: it is true until somebody restarts. */
static void warn_of_restart(const struct supervisor *s, const struct conf *conf)
{
    if (conf->workers != s->began.workers)
        log_note(&s->log, LEVEL_WARN, "needs_restart", "key", "workers");
    if (!same_text(conf->user, s->began.user))
        log_note(&s->log, LEVEL_WARN, "needs_restart", "key", "user");
    if (!same_text(conf->group, s->began.group))
        log_note(&s->log, LEVEL_WARN, "needs_restart", "key", "group");
}

static void on_visit(struct errand *errand, struct worker *worker)
{
    struct reloader *r = container_of(errand, struct reloader, swap);

    worker_use(worker, r->loaded, &r->plans[worker->index]);
}

/* What no worker has taken is closed here. */
static void drop_plans(struct supervisor *s)
{
    struct reloader *r = &s->reloader;

    for (unsigned i = 0; r->plans != NULL && i < s->worker_count; i++)
        doors_plan_fini(&r->plans[i]);
    free(r->plans);
    r->plans = NULL;
}

/* Every worker has the new generation. */
static void on_swapped(struct errand *errand)
{
    struct reloader *r = container_of(errand, struct reloader, swap);
    struct supervisor *s = container_of(r, struct supervisor, reloader);

    drop_plans(s);
    r->loaded = NULL;
    generation_release(&r->last);
    say_reloaded(s);
    end(s, true);
}

static bool make_plans(struct supervisor *s, struct bindings *bindings)
{
    struct reloader *r = &s->reloader;
    bool good;

    r->plans = calloc(s->worker_count, sizeof(*r->plans));
    good = r->plans != NULL;
    for (unsigned i = 0; good && i < s->worker_count; i++)
        good = doors_prepare(bindings, i, &r->plans[i]);
    return good;
}

/* Before any worker sees it. */
static bool make_ready(struct supervisor *s, struct generation *generation)
{
    if (!generation_join(generation, &s->fleet))
        return false;
    generation_fit(generation, s->worker_count, &s->log);
    lore_log_to(&generation->lore, logger_sink, &s->logger);
    lore_inherit(&generation->lore, &s->generation->lore);
    generation_count(generation, &s->ledger);
    return true;
}

/* The last that may fail. */
static bool send_out(struct supervisor *s, struct bindings *bindings)
{
    struct reloader *r = &s->reloader;

    r->swap = (struct errand){.visit = on_visit, .done = on_swapped};
    if (make_ready(s, r->loaded) && make_plans(s, bindings) && errand_send(&s->errands, &r->swap))
        return true;
    conf_errors_add(&r->errors, s->conf_path, 0, "", "out of memory");
    drop_plans(s);
    return false;
}

static bool put_in_force(struct supervisor *s)
{
    struct generation *new = s->reloader.loaded;
    struct bindings bindings;

    if (!bindings_follow(&s->bindings, new->conf, s->worker_count, &bindings, &s->reloader.errors))
        return false;
    if (!send_out(s, &bindings)) {
        bindings_close(&bindings);
        return false;
    }
    warn_of_restart(s, new->conf);
    bindings_tell(&s->bindings, &bindings, &s->log);
    bindings_close(&s->bindings);
    s->bindings = bindings;
    s->reloader.last = s->generation;
    s->generation = new;
    generation_rekey(new, s->tickets);
    prober_use(&s->prober, new);
    use_log(s);
    if (s->admin != NULL)
        s->admin->follow(s);
    return true;
}

static void give_up(struct supervisor *s)
{
    struct reloader *r = &s->reloader;

    if (r->loaded != NULL)
        generation_release(&r->loaded);
    conf_errors_locate(&r->errors);
    generation_complain(&r->errors, &s->log);
    metric_add(&s->metrics.reloads_failed, 1);
    log_note(&s->log, LEVEL_ERROR, "reload_failed", "text",
             "the configuration in force stays in force");
    end(s, false);
}

/* --- the load --------------------------------------------------------------------------------- */

/* On a thread of the pool. What it reads of the supervisor never changes after the start. */
static void on_work(uv_work_t *work)
{
    struct reloader *r = container_of(work, struct reloader, work);
    struct supervisor *s = container_of(r, struct supervisor, reloader);

    if (!generation_load(s->conf_path, &s->tickets, &r->files, &r->loaded, &r->errors))
        r->loaded = NULL;
    tls_thread_rest();
}

static void on_loaded(uv_work_t *work, int status)
{
    struct reloader *r = container_of(work, struct reloader, work);
    struct supervisor *s = container_of(r, struct supervisor, reloader);

    UNUSED(status);
    if (s->draining)
        r->loading = false;
    else if (r->loaded == NULL || !put_in_force(s))
        give_up(s);
}

static void begin(struct supervisor *s)
{
    struct reloader *r = &s->reloader;

    r->again = false;
    r->loading = true;
    r->begun = uv_hrtime();
    while (!list_empty(&r->next)) {
        struct list *node = r->next.next;
        list_unlink(node);
        list_append(&r->now, node);
    }
    tell_manager();
    (void)uv_queue_work(&s->loop, &r->work, on_work, on_loaded); /* fails without a function only */
}

/* --- what others call ------------------------------------------------------------------------- */

static void on_changed(struct watch *watch, const char *path)
{
    struct reloader *r = container_of(watch, struct reloader, watch);
    struct supervisor *s = container_of(r, struct supervisor, reloader);

    log_note(&s->log, LEVEL_INFO, "file_changed", "file", path);
    (void)reload_request(s, "watch", NULL);
}

void reload_init(struct supervisor *s)
{
    watch_init(&s->reloader.watch, &s->loop, &s->log, on_changed);
    list_init(&s->reloader.now);
    list_init(&s->reloader.next);
    note_report(s, true);
}

void reload_ready(struct supervisor *s)
{
    watch_use(&s->reloader.watch, &s->reloader.files, s->generation->conf->watch);
}

bool reload_request(struct supervisor *s, const char *cause, struct reload_waiter *waiter)
{
    struct reloader *r = &s->reloader;

    if (s->draining)
        return false;
    use_log(s); /* rotated or not, whatever the new configuration is worth */
    log_note(&s->log, LEVEL_INFO, "reload_requested", "cause", cause);
    if (waiter != NULL)
        list_append(&r->next, &waiter->node);
    if (r->loading)
        r->again = true;
    else
        begin(s);
    return true;
}

void reload_forget(struct reload_waiter *waiter)
{
    list_unlink(&waiter->node);
}

void reload_stop(struct supervisor *s)
{
    struct conf_files none = {.list = NULL};

    watch_use(&s->reloader.watch, &none, false);
    s->reloader.again = false;
    tell(&s->reloader.now, NULL);
    tell(&s->reloader.next, NULL);
}

void reload_close(struct supervisor *s)
{
    watch_close(&s->reloader.watch);
}

void reload_fini(struct supervisor *s)
{
    struct reloader *r = &s->reloader;

    REQUIRE(!r->loading);
    if (r->loaded != NULL) /* when the proxy left */
        generation_release(&r->loaded);
    conf_files_clear(&r->files);
    conf_errors_clear(&r->errors);
    conf_errors_clear(&r->report.errors);
}
