/*
 * Starts the proxy. Owns nothing: what it opens is the supervisor's at once, also when a later step
 * fails. Before there is a log it speaks on standard error.
 */
#include "run/startup.h"

#include <stdio.h>
#include <stdlib.h>

#include "run/process.h"
#include "waypost/run/supervisor.h"

static int complain(const char *text, int code)
{
    fprintf(stderr, "waypost: %s\n", text);
    return code;
}

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
    if (!generation_join(s->generation, &s->fleet))
        return complain("out of memory", SUPERVISOR_INTERNAL);
    return SUPERVISOR_CLEAN;
}

/* Everything that needs privileges, then nothing that does. */
static int open_sockets(struct supervisor *s, unsigned workers)
{
    const struct conf *conf = s->generation->conf;
    char storage[512];
    struct str why = STR_ON(storage);

    generation_fit(s->generation, workers, &s->log);
    if (!bindings_open(&s->bindings, conf, workers, &why) ||
        !process_become(conf->user, conf->group, &why))
        return complain(storage, SUPERVISOR_CONFIG);
    process_harden();
    if (s->admin != NULL && !s->admin->open(s, &why))
        return complain(storage, SUPERVISOR_CONFIG);
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
        .seating = &s->seating,
        .generation = s->generation,
        .listener_count = s->bindings.count,
        .ended = &s->ended,
    };
    bool good = true;

    s->workers = calloc(workers, sizeof(*s->workers));
    s->gated = gate_init(&s->gate, s->generation->sessions, &s->metrics, logger_sink, &s->logger);
    s->registered = registry_init(&s->registry, s->generation->sessions, supervisor_disturb, s);
    s->seating = (struct seating){&s->fleet, &s->registry};
    if (s->workers == NULL || !s->gated || !s->registered)
        return complain("out of memory", SUPERVISOR_INTERNAL);
    for (unsigned i = 0; i < workers && good; i++)
        good = init_worker(s, &setup);
    for (unsigned i = 0; i < workers && good; i++)
        good = worker_start(&s->workers[i]);
    s->errands.workers = s->workers;
    s->errands.worker_count = s->worker_count;
    if (good)
        return SUPERVISOR_CLEAN;
    supervisor_post_all(s, LETTER_STOP); /* those that run; the others are ended by hand */
    return complain("cannot start the workers", SUPERVISOR_INTERNAL);
}

int startup(struct supervisor *s)
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

void startup_ready(struct supervisor *s)
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
