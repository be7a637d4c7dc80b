/*
 * Keeps the capabilities that each backend has shown, and what may be promised for all of them,
 * made anew only when something changed. Owns both; borrows the configuration. Lock order: `lock`
 * is never held while anything else is waited for.
 */
#include "run/lore.h"

#include <stdlib.h>
#include <string.h>

/* --- telling ---------------------------------------------------------------------------------- */

static void tell(const struct lore *lore, const struct conf_backend *backend, enum lore_when when,
                 struct slice words)
{
    struct log_line line;
    /* What a user sees after login may be his own: it changes from one login to the next. */
    enum log_level level = when == LORE_BEFORE_LOGIN ? LEVEL_INFO : LEVEL_DEBUG;

    if (lore->log.sink == NULL || !log_begin(&line, &lore->log, level, "capabilities"))
        return;
    log_text(&line, "backend", slice_str(backend->name));
    log_text(&line, "when",
             when == LORE_BEFORE_LOGIN ? SLICE("before-login") : SLICE("after-login"));
    log_text(&line, "words", words);
    log_end(&line);
}

static void warn(const struct lore *lore, const struct conf_backend *backend)
{
    struct log_line line;

    if (lore->log.sink == NULL || !log_begin(&line, &lore->log, LEVEL_WARN, "channel_binding"))
        return;
    log_text(&line, "backend", slice_str(backend->name));
    log_text(&line, "text", SLICE(ADVERT_PLUS_TEXT));
    log_end(&line);
}

/* --- what sessions call ------------------------------------------------------------------------
 */

static void make_adverts(struct lore *lore)
{
    for (size_t i = 0; i < lore->door_count; i++)
        advert_make(lore->conf, lore->doors[i].reached, lore->before, SLICE(SESSION_CAPABILITIES),
                    &lore->doors[i].advert);
}

/* True when that is news. */
static bool learn(struct lore *lore, const struct conf_backend *backend, enum lore_when when,
                  struct slice words)
{
    struct caps *all = when == LORE_BEFORE_LOGIN ? lore->before : lore->after;
    struct caps *caps = &all[backend->index];

    if (caps_known(caps) && slice_eq(caps_words(caps), words))
        return false;
    if (!caps_set(caps, words))
        return false;
    if (when == LORE_BEFORE_LOGIN)
        make_adverts(lore);
    return true;
}

static void note(void *ctx, const struct conf_backend *backend, enum lore_when when,
                 struct slice words)
{
    struct lore *lore = ctx;
    struct caps caps = CAPS_UNKNOWN;
    bool news;

    /* In the form in which they are kept, or they would be news each time. */
    if (!caps_set(&caps, words))
        return;
    uv_mutex_lock(&lore->lock);
    news = learn(lore, backend, when, caps_words(&caps));
    uv_mutex_unlock(&lore->lock);
    if (news) {
        tell(lore, backend, when, caps_words(&caps));
        if (when == LORE_BEFORE_LOGIN && advert_binds_channel(lore->conf, &caps))
            warn(lore, backend);
    }
    caps_clear(&caps);
}

static bool recall(void *ctx, const struct conf_backend *backend, struct caps *out)
{
    struct lore *lore = ctx;
    const struct caps *caps = &lore->before[backend->index];
    bool known;

    uv_mutex_lock(&lore->lock);
    known = caps_known(caps) && caps_set(out, caps_words(caps));
    uv_mutex_unlock(&lore->lock);
    return known;
}

static void advertise(void *ctx, const struct conf_listener *listener, struct str *words,
                      bool mechanisms[CONF_MECH_COUNT])
{
    struct lore *lore = ctx;
    size_t index = (size_t)(listener - lore->conf->listeners);
    const struct advert *advert = &lore->doors[index].advert;

    REQUIRE(index < lore->door_count);
    uv_mutex_lock(&lore->lock);
    if (words != NULL)
        str_add(words, caps_known(&advert->words) ? caps_words(&advert->words)
                                                  : SLICE(SESSION_CAPABILITIES));
    for (size_t m = 0; m < CONF_MECH_COUNT; m++)
        mechanisms[m] = mechanisms[m] && advert->mechanisms[m];
    uv_mutex_unlock(&lore->lock);
}

/* --- begin and end ---------------------------------------------------------------------------- */

static void release(struct lore *lore)
{
    size_t backends = lore->conf->routes->backend_count;

    for (size_t i = 0; i < lore->door_count; i++) {
        free(lore->doors[i].reached);
        advert_clear(&lore->doors[i].advert);
    }
    for (size_t i = 0; lore->before != NULL && i < backends; i++)
        caps_clear(&lore->before[i]);
    for (size_t i = 0; lore->after != NULL && i < backends; i++)
        caps_clear(&lore->after[i]);
    free(lore->doors);
    free(lore->before);
    free(lore->after);
}

static bool open_doors(struct lore *lore)
{
    const struct conf *conf = lore->conf;

    lore->doors = calloc(conf->listener_count, sizeof(*lore->doors));
    for (size_t i = 0; lore->doors != NULL && i < conf->listener_count; i++) {
        struct lore_door *door = &lore->doors[i];
        door->reached = calloc(conf->routes->backend_count + 1, sizeof(*door->reached));
        if (door->reached == NULL)
            return false;
        lore->door_count++;
        advert_reach(conf->routes, conf->listeners[i].name, door->reached);
    }
    return lore->doors != NULL;
}

bool lore_init(struct lore *lore, const struct conf *conf)
{
    size_t count = conf->routes->backend_count;

    *lore = (struct lore){.conf = conf};
    lore->view = (struct session_lore){
        .ctx = lore,
        .note = note,
        .recall = recall,
        .advertise = advertise,
    };
    lore->before = calloc(count + 1, sizeof(*lore->before));
    lore->after = calloc(count + 1, sizeof(*lore->after));
    if (lore->before == NULL || lore->after == NULL || !open_doors(lore) ||
        uv_mutex_init(&lore->lock) != 0) {
        release(lore);
        return false;
    }
    make_adverts(lore);
    return true;
}

void lore_fini(struct lore *lore)
{
    release(lore);
    uv_mutex_destroy(&lore->lock);
}

void lore_log_to(struct lore *lore, log_sink *sink, void *ctx)
{
    lore->log = (struct log){lore->conf->log.level, lore->conf->log.format, sink, ctx};
}

static bool same_server(const struct conf_backend *a, const struct conf_backend *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port &&
           a->tls == b->tls;
}

void lore_inherit(struct lore *lore, struct lore *from)
{
    const struct conf_routes *now = lore->conf->routes, *then = from->conf->routes;

    uv_mutex_lock(&from->lock);
    for (size_t i = 0; i < now->backend_count; i++) {
        for (size_t j = 0; j < then->backend_count; j++) {
            if (!caps_known(&from->before[j]) ||
                !same_server(&now->backends[i], &then->backends[j]))
                continue;
            /* Without memory it is learned again. */
            if (!caps_set(&lore->before[i], caps_words(&from->before[j])))
                caps_clear(&lore->before[i]);
        }
    }
    uv_mutex_unlock(&from->lock);
    make_adverts(lore);
}
