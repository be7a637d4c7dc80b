/*
 * Waits for signals and for the end of the workers. Owns everything that workers share. Never
 * accepts, never serves a connection, and never touches a worker but through its mailbox.
 */
#include "waypost/run/supervisor.h"

#include <signal.h>
#include <stdlib.h>

#include "run/process.h"
#include "run/report.h"
#include "run/startup.h"

static const int signal_numbers[SUPERVISOR_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

/* --- signals ---------------------------------------------------------------------------------- */

void supervisor_post_all(struct supervisor *s, enum letter_kind kind)
{
    for (unsigned i = 0; i < s->worker_count; i++) {
        if (!worker_post(&s->workers[i], kind))
            log_note(&s->log, LEVEL_ERROR, "drain_incomplete", "error", "out of memory");
    }
}

void supervisor_disturb(void *ctx)
{
    struct supervisor *s = ctx;

    /* Both are set before anybody can call this. */
    for (unsigned i = 0; i < s->worker_count; i++)
        worker_disturb(&s->workers[i]);
}

static void on_patience(uv_timer_t *timer)
{
    supervisor_post_all(container_of(timer, struct supervisor, patience), LETTER_STOP);
}

static void leave(struct supervisor *s)
{
    struct log_line line;

    if (s->draining) {
        supervisor_post_all(s, LETTER_STOP);
        return;
    }
    s->draining = true;
    reload_stop(s);
    process_notify("STOPPING=1");
    if (log_begin(&line, &s->log, LEVEL_INFO, "draining")) {
        log_num(&line, "sessions", metric_get(&s->metrics.sessions_open));
        log_num(&line, "ms", s->generation->conf->timeouts.drain);
        log_end(&line);
    }
    uv_timer_start(&s->patience, on_patience, s->generation->conf->timeouts.drain, 0);
    supervisor_post_all(s, LETTER_DRAIN);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct supervisor *s = container_of(handle->loop, struct supervisor, loop);

    if (number == SIGUSR1)
        report(&s->log, &s->metrics, &s->ledger);
    else if (number != SIGHUP)
        leave(s);
    else
        (void)reload_request(s, "signal", NULL);
}

static void close_handles(struct supervisor *s)
{
    for (size_t i = 0; i < COUNT_OF(s->signals); i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    uv_close((uv_handle_t *)&s->ended, NULL);
    uv_close((uv_handle_t *)&s->patience, NULL);
}

static void on_ended(uv_async_t *async)
{
    struct supervisor *s = container_of(async, struct supervisor, ended);

    for (unsigned i = 0; i < s->worker_count; i++) {
        if (!worker_done(&s->workers[i]))
            return;
    }
    uv_stop(&s->loop);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* By the thread that saw it. */
static void on_turned(void *ctx)
{
    struct supervisor *s = ctx;

    prober_hurry(&s->prober);
    supervisor_disturb(s);
}

void supervisor_open(struct supervisor *s, const char *conf_path,
                     const struct supervisor_admin *admin)
{
    int error;

    *s = (struct supervisor){.conf_path = conf_path, .admin = admin};
    error = uv_loop_init(&s->loop);
    for (size_t i = 0; i < COUNT_OF(s->signals) && error == 0; i++) {
        error = uv_signal_init(&s->loop, &s->signals[i]);
        if (error == 0)
            error = uv_signal_start(&s->signals[i], on_signal, signal_numbers[i]);
    }
    if (error == 0)
        error = uv_async_init(&s->loop, &s->ended, on_ended);
    if (error == 0)
        error = uv_timer_init(&s->loop, &s->patience);
    if (error == 0 && !fleet_init(&s->fleet, logger_sink, &s->logger, on_turned, s))
        error = UV_ENOMEM;
    if (error == 0)
        error = errands_init(&s->errands, &s->loop);
    ENSURE(error == 0); /* nothing is served yet: there is no gentler way to fail */
    prober_init(&s->prober, &s->loop, &s->log, &s->fleet);
    reload_init(s);
}

void supervisor_close(struct supervisor *s)
{
    int error;

    for (unsigned i = 0; i < s->worker_count; i++)
        worker_end(&s->workers[i]);
    errands_close(&s->errands);
    free(s->workers);
    if (s->admin != NULL)
        s->admin->close(s);
    close_handles(s);
    prober_close(&s->prober);
    reload_close(s);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    prober_fini(&s->prober);
    reload_fini(s);
    error = uv_loop_close(&s->loop);
    ENSURE(error == 0);
    if (s->admin != NULL)
        s->admin->fini(s);
    bindings_close(&s->bindings);
    generation_release(&s->generation);
    free(s->began.user);
    free(s->began.group);
    tls_tickets_free(&s->tickets);
    ledger_fini(&s->ledger);
    fleet_fini(&s->fleet);
    if (s->registered)
        registry_fini(&s->registry);
    if (s->gated)
        gate_fini(&s->gate);
    if (s->logging)
        logger_close(&s->logger);
}

int supervisor_run(const char *conf_path, const struct supervisor_admin *admin)
{
    struct supervisor s;
    int code;

    process_harden();
    process_return_memory();
    supervisor_open(&s, conf_path, admin);
    code = startup(&s);
    if (code == SUPERVISOR_CLEAN) {
        prober_use(&s.prober, s.generation);
        startup_ready(&s);
        uv_run(&s.loop, UV_RUN_DEFAULT);
        log_note(&s.log, LEVEL_INFO, "stopped", "file", conf_path);
    }
    supervisor_close(&s);
    return code;
}
