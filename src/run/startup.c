/*
 * Starts the proxy. Owns nothing: what it opens is the supervisor's at once, also when a later step
 * fails. Before there is a log it speaks on standard error.
 */
#include "run/startup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/process.h"
#include "waypost/run/supervisor.h"

static int complain(const char *text, int code)
{
    fprintf(stderr, "waypost: %s\n", text);
    return code;
}

/* To standard error, one finding a line. */
static int complain_of(struct conf_errors *errors)
{
    conf_errors_locate(errors);
    for (size_t i = 0; i < errors->count; i++) {
        char storage[LIMIT_LOG_LINE];
        struct str text = STR_ON(storage);
        conf_error_text(&errors->list[i], &text);
        fprintf(stderr, "%s\n", storage);
    }
    conf_errors_clear(errors);
    return SUPERVISOR_CONFIG;
}

static int load(struct supervisor *s)
{
    struct conf_errors errors = {NULL, 0};

    if (!generation_load(s->conf_path, &s->tickets, &s->reloader.files, &s->generation, &errors))
        return complain_of(&errors);
    return SUPERVISOR_CLEAN;
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

/* What only a restart can change. */
static bool remember(struct supervisor *s, const struct conf *conf)
{
    s->began.workers = conf->workers;
    s->began.user = conf->user == NULL ? NULL : strdup(conf->user);
    s->began.group = conf->group == NULL ? NULL : strdup(conf->group);
    return (s->began.user == NULL) == (conf->user == NULL) &&
           (s->began.group == NULL) == (conf->group == NULL);
}

/* Everything that needs privileges, then nothing that does. */
static int open_sockets(struct supervisor *s, unsigned workers)
{
    const struct conf *conf = s->generation->conf;
    struct conf_errors errors = {NULL, 0};
    char storage[512];
    struct str why = STR_ON(storage);

    generation_fit(s->generation, workers, &s->log);
    if (!bindings_follow(&s->bindings, conf, workers, &s->bindings, &errors))
        return complain_of(&errors);
    if (!process_become(conf->user, conf->group, &why))
        return complain(storage, SUPERVISOR_CONFIG);
    process_harden();
    if (s->admin != NULL && !s->admin->open(s, &why))
        return complain(storage, SUPERVISOR_CONFIG);
    return remember(s, conf) ? SUPERVISOR_CLEAN : complain("out of memory", SUPERVISOR_INTERNAL);
}

static bool init_worker(struct supervisor *s, const struct worker_setup *setup)
{
    struct worker *w = &s->workers[s->worker_count];

    if (!worker_init(w, s->worker_count, setup))
        return false;
    s->worker_count++;
    return worker_listen(w, &s->bindings);
}

static int start_workers(struct supervisor *s, unsigned workers)
{
    struct worker_setup setup = {
        .log = &s->log,
        .metrics = &s->metrics,
        .gate = &s->gate.view,
        .seating = &s->seating,
        .generation = s->generation,
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
    const struct bindings none = {.count = 0};
    char storage[LIMIT_LOG_TEXT + 1], text[ADDR_TEXT];
    struct str all = STR_ON(storage);
    struct log_line line;

    for (size_t i = 0; i < s->bindings.count; i++) {
        const struct binding *binding = &s->bindings.list[i];
        addr_format(&binding->address, true, text);
        str_addf(&all, "%s%s@%s", i > 0 ? "," : "", binding->conf->name, text);
    }
    bindings_tell(&none, &s->bindings, &s->log);
    if (log_begin(&line, &s->log, LEVEL_INFO, "ready")) {
        log_text(&line, "listeners", slice_str(storage));
        log_num(&line, "workers", s->worker_count);
        log_num(&line, "sessions", s->generation->sessions);
        log_end(&line);
    }
    reload_ready(s);
    process_notify("READY=1");
}
