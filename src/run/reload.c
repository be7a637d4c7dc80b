/*
 * Reload: build first, swap last. Owns nothing but the generation under way; whoever was accepted
 * under the old one keeps it.
 */
#include "run/reload.h"

#include "run/process.h"

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
    generation_fit(generation, s->worker_count, &s->log);
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

void reload(struct supervisor *s)
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
