/*
 * Starts the proxy in the order that matters (load, log, descriptors, bind, drop privileges,
 * workers), and then waits for signals. Owns everything that workers share. Never accepts, never
 * serves a connection, and never touches a worker but through its mailbox.
 */
#include "waypost/run/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "run/binding.h"
#include "run/gate.h"
#include "run/generation.h"
#include "run/logger.h"
#include "run/prober.h"
#include "run/process.h"
#include "run/report.h"
#include "run/worker.h"
#include "waypost/base/metrics.h"

/* Descriptors beside the sessions': loops and listeners of a worker, files of the process. */
#define FDS_PER_WORKER 16u
#define FDS_PROCESS    64u

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

struct supervisor {
    const char *conf_path; /* borrowed */
    struct logger logger;
    bool logging; /* logger is open */
    struct log log;
    struct metrics metrics;
    struct gate gate;
    bool gated; /* gate is made */
    struct ledger ledger;
    struct tls_tickets *tickets;
    struct generation *generation; /* one reference: the one in force */
    struct bindings bindings;
    struct prober prober;
    struct worker *workers;
    unsigned worker_count; /* that were initialised */
    uv_loop_t loop;
    uv_signal_t signals[COUNT_OF(signal_numbers)];
    uv_async_t ended; /* rung by a worker's thread as its last act */
    uv_timer_t patience;
    bool draining;
};

static int complain(const char *text, int code)
{
    fprintf(stderr, "waypost: %s\n", text);
    return code;
}

/* Two descriptors a session. With fewer than that the cap on sessions is lowered, because running
 * out of descriptors is worse than turning somebody away (and an operator reads this line). */
static void make_room(struct supervisor *s, struct generation *generation, unsigned workers)
{
    uint64_t wanted = generation->conf->limits.sessions;
    uint64_t rest = FDS_PROCESS + workers * (FDS_PER_WORKER + 2 * generation->conf->listener_count);
    uint64_t allowed = process_raise_descriptors(2 * wanted + rest);
    struct log_line line;

    if (allowed >= 2 * wanted + rest)
        return;
    generation->sessions = allowed > rest + 2 ? (allowed - rest) / 2 : 1;
    if (!log_begin(&line, &s->log, LEVEL_WARN, "sessions_capped"))
        return;
    log_num(&line, "sessions", generation->sessions);
    log_num(&line, "wanted", wanted);
    log_num(&line, "descriptors", allowed);
    log_text(&line, "text",
             SLICE("limits.sessions needs more open descriptors than the hard limit allows "
                   "(LimitNOFILE=, ulimit -Hn)"));
    log_end(&line);
}

/* --- reload ----------------------------------------------------------------------------------- */

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

static void warn_of_restart(struct supervisor *s, const struct conf *conf)
{
    if (bindings_differ(&s->bindings, conf))
        log_note(&s->log, LEVEL_WARN, "needs_restart", "key", "listeners");
    if (conf->workers != s->generation->conf->workers)
        log_note(&s->log, LEVEL_WARN, "needs_restart", "key", "workers");
}

static void swap_in(struct supervisor *s, struct generation *generation)
{
    struct generation *old = s->generation;

    warn_of_restart(s, generation->conf);
    make_room(s, generation, s->worker_count);
    lore_log_to(&generation->lore, logger_sink, &s->logger);
    lore_inherit(&generation->lore, &old->lore);
    generation_count(generation, &s->ledger);
    s->generation = generation;
    for (unsigned i = 0; i < s->worker_count; i++) {
        if (!worker_post(&s->workers[i], LETTER_CONF, generation))
            log_note(&s->log, LEVEL_ERROR, "reload_incomplete", "error", "out of memory");
    }
    prober_use(&s->prober, generation);
    generation_release(&old);
    use_log(s);
    log_note(&s->log, LEVEL_INFO, "reloaded", "file", s->conf_path);
}

static void reload(struct supervisor *s)
{
    struct conf_errors errors = {NULL, 0};
    struct generation *generation;
    char state[64];
    struct str text = STR_ON(state);

    str_addf(&text, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(uv_hrtime() / 1000));
    process_notify(state);
    if (generation_load(s->conf_path, &s->tickets, &generation, &errors)) {
        swap_in(s, generation);
    } else {
        use_log(s); /* rotated or not, whatever the new configuration is worth */
        generation_complain(&errors, &s->log);
        metric_add(&s->metrics.reloads_failed, 1);
        log_note(&s->log, LEVEL_ERROR, "reload_failed", "text",
                 "the configuration in force stays in force");
    }
    conf_errors_clear(&errors);
    process_notify("READY=1");
}

/* --- signals ---------------------------------------------------------------------------------- */

static void post_all(struct supervisor *s, enum letter_kind kind)
{
    for (unsigned i = 0; i < s->worker_count; i++) {
        if (!worker_post(&s->workers[i], kind, NULL))
            log_note(&s->log, LEVEL_ERROR, "drain_incomplete", "error", "out of memory");
    }
}

static void on_patience(uv_timer_t *timer)
{
    post_all(container_of(timer, struct supervisor, patience), LETTER_STOP);
}

static void leave(struct supervisor *s)
{
    struct log_line line;

    if (s->draining) {
        post_all(s, LETTER_STOP);
        return;
    }
    s->draining = true;
    process_notify("STOPPING=1");
    if (log_begin(&line, &s->log, LEVEL_INFO, "draining")) {
        log_num(&line, "sessions", metric_get(&s->metrics.sessions_open));
        log_num(&line, "ms", s->generation->conf->timeouts.drain);
        log_end(&line);
    }
    uv_timer_start(&s->patience, on_patience, s->generation->conf->timeouts.drain, 0);
    post_all(s, LETTER_DRAIN);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct supervisor *s = container_of(handle->loop, struct supervisor, loop);

    if (number == SIGUSR1)
        report(&s->log, &s->metrics, &s->ledger);
    else if (number != SIGHUP)
        leave(s);
    else if (!s->draining)
        reload(s);
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

/* --- start ------------------------------------------------------------------------------------ */

static int load(struct supervisor *s)
{
    struct conf_errors errors = {NULL, 0};
    bool good = generation_load(s->conf_path, &s->tickets, &s->generation, &errors);

    for (size_t i = 0; i < errors.count; i++) {
        char storage[LIMIT_LOG_LINE];
        struct str text = STR_ON(storage);
        conf_error_text(&errors.list[i], &text);
        fprintf(stderr, "%s\n", storage);
    }
    conf_errors_clear(&errors);
    return good ? SUPERVISOR_CLEAN : SUPERVISOR_CONFIG;
}

static int open_log(struct supervisor *s)
{
    const char *to = s->generation->conf->log.to;
    int error = logger_open(&s->logger, to);

    if (error != 0) {
        fprintf(stderr, "waypost: cannot log to %s: %s\n", to,
                uv_strerror(uv_translate_sys_error(error)));
        return SUPERVISOR_CONFIG;
    }
    s->logging = true;
    s->log = (struct log){s->generation->level, s->generation->format, logger_sink, &s->logger};
    lore_log_to(&s->generation->lore, logger_sink, &s->logger);
    generation_count(s->generation, &s->ledger);
    return SUPERVISOR_CLEAN;
}

/* Everything that needs privileges, then nothing that does. */
static int open_sockets(struct supervisor *s, unsigned workers)
{
    const struct conf *conf = s->generation->conf;
    char storage[512];
    struct str why = STR_ON(storage);

    make_room(s, s->generation, workers);
    if (!bindings_open(&s->bindings, conf, workers, &why) ||
        !process_become(conf->user, conf->group, &why))
        return complain(storage, SUPERVISOR_CONFIG);
    process_harden();
    return SUPERVISOR_CLEAN;
}

static bool init_worker(struct supervisor *s, const struct worker_setup *setup)
{
    unsigned index = s->worker_count;
    struct worker *w = &s->workers[index];

    if (!worker_init(w, index, setup))
        return false;
    s->worker_count++;
    for (size_t i = 0; i < s->bindings.count; i++) {
        if (!worker_listen(w, &s->bindings.list[i].conf, bindings_take(&s->bindings, i, index)))
            return false;
    }
    return true;
}

static int start_workers(struct supervisor *s, unsigned workers)
{
    struct worker_setup setup = {
        .log = &s->log,
        .metrics = &s->metrics,
        .gate = &s->gate.view,
        .generation = s->generation,
        .listener_count = s->bindings.count,
        .ended = &s->ended,
    };
    bool good = true;

    s->workers = calloc(workers, sizeof(*s->workers));
    s->gated = gate_init(&s->gate, s->generation->sessions, &s->metrics, logger_sink, &s->logger);
    if (s->workers == NULL || !s->gated)
        return complain("out of memory", SUPERVISOR_INTERNAL);
    for (unsigned i = 0; i < workers && good; i++)
        good = init_worker(s, &setup);
    for (unsigned i = 0; i < workers && good; i++)
        good = worker_start(&s->workers[i]);
    if (good)
        return SUPERVISOR_CLEAN;
    post_all(s, LETTER_STOP); /* those that run; the others are ended by hand */
    return complain("cannot start the workers", SUPERVISOR_INTERNAL);
}

static void init_loop(struct supervisor *s)
{
    int error = uv_loop_init(&s->loop);

    for (size_t i = 0; i < COUNT_OF(s->signals) && error == 0; i++) {
        error = uv_signal_init(&s->loop, &s->signals[i]);
        if (error == 0)
            error = uv_signal_start(&s->signals[i], on_signal, signal_numbers[i]);
    }
    if (error == 0)
        error = uv_async_init(&s->loop, &s->ended, on_ended);
    if (error == 0)
        error = uv_timer_init(&s->loop, &s->patience);
    ENSURE(error == 0); /* nothing is served yet: there is no gentler way to fail */
    prober_init(&s->prober, &s->loop, &s->log);
}

static void say_ready(struct supervisor *s)
{
    char storage[LIMIT_LOG_TEXT + 1], text[ADDR_TEXT];
    struct str all = STR_ON(storage);
    struct log_line line;

    for (size_t i = 0; i < s->bindings.count; i++) {
        const struct binding *binding = &s->bindings.list[i];
        addr_format(&binding->address, true, text);
        str_addf(&all, "%s%s@%s", i > 0 ? "," : "", binding->conf.name, text);
        if (!log_begin(&line, &s->log, LEVEL_INFO, "listening"))
            continue;
        log_text(&line, "listener", slice_str(binding->conf.name));
        log_text(&line, "address", slice_str(text));
        log_end(&line);
    }
    if (log_begin(&line, &s->log, LEVEL_INFO, "ready")) {
        log_text(&line, "listeners", slice_str(storage));
        log_num(&line, "workers", s->worker_count);
        log_num(&line, "sessions", s->generation->sessions);
        log_end(&line);
    }
    process_notify("READY=1");
}

/* --- the whole -------------------------------------------------------------------------------- */

static int start(struct supervisor *s)
{
    unsigned workers;
    int code = load(s);

    if (code == SUPERVISOR_CLEAN)
        code = open_log(s);
    if (code != SUPERVISOR_CLEAN)
        return code;
    workers = s->generation->conf->workers;
    if (workers == 0)
        workers = uv_available_parallelism();
    code = open_sockets(s, workers);
    return code == SUPERVISOR_CLEAN ? start_workers(s, workers) : code;
}

static void finish(struct supervisor *s)
{
    int error;

    for (unsigned i = 0; i < s->worker_count; i++)
        worker_end(&s->workers[i]);
    free(s->workers);
    close_handles(s);
    prober_close(&s->prober);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    prober_fini(&s->prober);
    error = uv_loop_close(&s->loop);
    ENSURE(error == 0);
    bindings_close(&s->bindings);
    generation_release(&s->generation);
    tls_tickets_free(&s->tickets);
    ledger_fini(&s->ledger);
    if (s->gated)
        gate_fini(&s->gate);
    if (s->logging)
        logger_close(&s->logger);
}

int supervisor_run(const char *conf_path)
{
    struct supervisor s = {.conf_path = conf_path};
    int code;

    process_harden();
    init_loop(&s);
    code = start(&s);
    if (code == SUPERVISOR_CLEAN) {
        prober_use(&s.prober, s.generation);
        say_ready(&s);
        uv_run(&s.loop, UV_RUN_DEFAULT);
        log_note(&s.log, LEVEL_INFO, "stopped", "file", conf_path);
    }
    finish(&s);
    return code;
}
