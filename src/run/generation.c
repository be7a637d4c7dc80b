/*
 * Builds a configuration completely before anybody sees it, and frees it after the last user. Owns
 * conf and TLS contexts of one generation; never changes one that is in force.
 */
#include "run/generation.h"

#include <stdlib.h>

#include "run/process.h"

/* Descriptors beside the sessions': loops and listeners of a worker, files of the process. */
#define FDS_PER_WORKER 16u
#define FDS_PROCESS    (64u + LIMIT_PROBES + LIMIT_CONTROL_CLIENTS)

/* The first keys are used as they are; later ones take their place when the generation does. */
static bool load_tickets(const char *file, struct tls_tickets **tickets, struct tls_tickets **next,
                         struct conf_errors *errors)
{
    if (*tickets == NULL)
        return (*tickets = tls_tickets_new(file, errors)) != NULL;
    return file == NULL || (*next = tls_tickets_new(file, errors)) != NULL;
}

static struct generation *build(struct conf *conf, struct tls_tickets **tickets,
                                struct conf_errors *errors)
{
    struct generation *g = calloc(1, sizeof(*g));
    bool good;

    if (g == NULL) {
        conf_errors_add(errors, conf->path, 0, "", "out of memory");
        return NULL;
    }
    good = load_tickets(conf->tls.ticket_keys, tickets, &g->tickets, errors);
    good = *tickets != NULL && tls_set_new(conf, *tickets, &g->tls, errors) && good;
    if (good && !lore_init(&g->lore, conf)) {
        conf_errors_add(errors, conf->path, 0, "", "out of memory");
        good = false;
    }
    if (!good) {
        tls_tickets_free(&g->tickets);
        tls_set_free(&g->tls);
        free(g);
        return NULL;
    }
    g->conf = conf;
    g->level = conf->log.level;
    g->format = conf->log.format;
    g->sessions = conf->limits.sessions;
    atomic_init(&g->references, 1);
    return g;
}

bool generation_load(const char *path, struct tls_tickets **tickets, struct conf_files *files,
                     struct generation **out, struct conf_errors *errors)
{
    struct generation *generation;
    struct conf *conf;

    if (!conf_load_files(path, files, &conf, errors))
        return false;
    generation = build(conf, tickets, errors);
    if (generation == NULL) {
        conf_errors_locate(errors);
        conf_release(&conf);
        return false;
    }
    *out = generation;
    return true;
}

void generation_fit(struct generation *generation, unsigned workers, const struct log *log)
{
    uint64_t wanted = generation->conf->limits.sessions;
    uint64_t rest = FDS_PROCESS + workers * (FDS_PER_WORKER + 2 * generation->conf->listener_count);
    uint64_t allowed = process_raise_descriptors(2 * wanted + rest);
    struct log_line line;

    if (allowed >= 2 * wanted + rest)
        return;
    generation->sessions = allowed > rest + 2 ? (allowed - rest) / 2 : 1;
    if (!log_begin(&line, log, LEVEL_WARN, "sessions_capped"))
        return;
    log_num(&line, "sessions", generation->sessions);
    log_num(&line, "wanted", wanted);
    log_num(&line, "descriptors", allowed);
    log_text(&line, "text",
             SLICE("limits.sessions needs more open descriptors than the hard limit allows "
                   "(LimitNOFILE=, ulimit -Hn)"));
    log_end(&line);
}

void generation_count(struct generation *generation, struct ledger *ledger)
{
    generation->counters = ledger_open(ledger, generation->conf);
}

static uint64_t sessions_at(void *ctx, const struct conf_backend *backend)
{
    const struct generation *generation = ctx;

    return fleet_sessions(generation->fleet[backend->index]);
}

bool generation_join(struct generation *generation, struct fleet *fleet)
{
    generation->fleet = fleet_open(fleet, generation->conf);
    generation->load = (struct hash_load){sessions_at, generation};
    return generation->fleet != NULL;
}

void generation_rekey(struct generation *generation, struct tls_tickets *tickets)
{
    tls_tickets_follow(tickets, generation->tickets);
    tls_tickets_free(&generation->tickets);
}

void generation_complain(const struct conf_errors *errors, const struct log *log)
{
    struct log_line line;

    for (size_t i = 0; i < errors->count; i++) {
        const struct conf_error *error = &errors->list[i];
        if (!log_begin(&line, log, LEVEL_ERROR, "reload_finding"))
            return;
        log_text(&line, "file", slice_str(error->file));
        log_num(&line, "line", error->line);
        log_text(&line, "pointer", slice_str(error->pointer));
        log_text(&line, "text", slice_str(error->text));
        log_end(&line);
    }
}

struct generation *generation_hold(struct generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
    return generation;
}

void generation_release(struct generation **generation)
{
    struct generation *old = *generation;

    *generation = NULL;
    if (old == NULL || atomic_fetch_sub_explicit(&old->references, 1, memory_order_acq_rel) > 1)
        return;
    tls_set_free(&old->tls);
    tls_tickets_free(&old->tickets);
    lore_fini(&old->lore);
    free(old->counters);
    free(old->fleet);
    conf_release(&old->conf);
    free(old);
}
