/*
 * Builds a configuration completely before anybody sees it, and frees it after the last user. Owns
 * conf and TLS contexts of one generation; never changes one that is in force.
 */
#include "run/generation.h"

#include <stdlib.h>

static struct generation *build(struct conf *conf, struct tls_tickets **tickets,
                                struct conf_errors *errors)
{
    struct generation *generation;
    struct tls_set *tls;

    if (*tickets == NULL)
        *tickets = tls_tickets_new(conf->tls.ticket_keys, errors);
    if (*tickets == NULL || !tls_set_new(conf, *tickets, &tls, errors))
        return NULL;
    generation = malloc(sizeof(*generation));
    if (generation == NULL) {
        conf_errors_add(errors, conf->path, 0, "", "out of memory");
        tls_set_free(&tls);
        return NULL;
    }
    *generation = (struct generation){
        .conf = conf,
        .tls = tls,
        .level = conf->log.level,
        .format = conf->log.format,
        .sessions = conf->limits.sessions,
    };
    atomic_init(&generation->references, 1);
    return generation;
}

bool generation_load(const char *path, struct tls_tickets **tickets, struct generation **out,
                     struct conf_errors *errors)
{
    struct generation *generation;
    struct conf *conf;

    if (!conf_load(path, &conf, errors))
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
    conf_release(&old->conf);
    free(old);
}
