/*
 * Shares the health of backends among all threads. Borrows the log. The lock is never held while
 * anything else is waited for; lines are built under it and written after it. Never probes, never
 * closes a session.
 */
#include "run/fleet_backend.h"

#include <string.h>

/* --- telling ---------------------------------------------------------------------------------- */

static const char *const cause_names[] = {
    [HEALTH_BY_NONE] = "",
    [HEALTH_BY_PROBE] = "probe",
    [HEALTH_BY_LOGINS] = "logins",
};

/* A line about a backend, begun under the lock and ended without it. */
static bool line_begin(const struct fleet *fleet, const struct fleet_backend *b, bool bad,
                       const char *event, const char *by, struct log_line *line)
{
    if (fleet->log.sink == NULL ||
        !log_begin(line, &fleet->log, bad ? LEVEL_WARN : LEVEL_INFO, event))
        return false;
    log_text(line, "backend", slice_str(b->name));
    log_text(line, "by", slice_str(by));
    return true;
}

/* Changes are told once each; what repeats is in the counters. Unlocks. */
static void tell_and_unlock(struct fleet *fleet, struct fleet_backend *b, enum health_news news,
                            const char *by, uint64_t lasted)
{
    bool fell = news == HEALTH_FELL;
    bool dead = health_is_dead(&b->health), turned;
    struct log_line line;
    bool told = news != HEALTH_SAME &&
                line_begin(fleet, b, fell, fell ? "backend_down" : "backend_up", by, &line);

    if (told && fell)
        log_text(&line, "why", slice_str(b->health.why));
    else if (told)
        log_num(&line, "down_ms", lasted);
    turned = atomic_exchange_explicit(&b->dead, dead, memory_order_relaxed) != dead ||
             news != HEALTH_SAME;
    uv_mutex_unlock(&fleet->lock);
    if (told)
        log_end(&line);
    if (turned && fleet->turned != NULL)
        fleet->turned(fleet->ctx);
}

/* --- what sessions call ----------------------------------------------------------------------- */

static bool is_full(const struct fleet_backend *b, const struct conf_backend *conf)
{
    return conf->max_sessions > 0 && fleet_sessions(b) >= conf->max_sessions;
}

bool fleet_serves(struct fleet *fleet, struct fleet_backend *b, uint64_t now)
{
    bool serves;

    uv_mutex_lock(&fleet->lock);
    serves = health_allows(&b->health, &b->rules, now);
    uv_mutex_unlock(&fleet->lock);
    return serves;
}

bool fleet_admits(struct fleet *fleet, struct fleet_backend *b, const struct conf_backend *conf,
                  uint64_t now)
{
    bool admits;

    if (is_full(b, conf))
        return false;
    uv_mutex_lock(&fleet->lock);
    admits = !b->health.draining && health_allows(&b->health, &b->rules, now);
    uv_mutex_unlock(&fleet->lock);
    return admits;
}

bool fleet_is_dead(const struct fleet_backend *b)
{
    return atomic_load_explicit(&b->dead, memory_order_relaxed);
}

void fleet_enter(struct fleet_backend *b)
{
    atomic_fetch_add_explicit(&b->sessions, 1, memory_order_relaxed);
}

void fleet_leave(struct fleet_backend *b)
{
    uint_fast64_t before = atomic_fetch_sub_explicit(&b->sessions, 1, memory_order_relaxed);

    ENSURE(before > 0);
}

bool fleet_begin_login(struct fleet_backend *b, unsigned most)
{
    unsigned under_way = atomic_fetch_add_explicit(&b->logins, 1, memory_order_relaxed);

    if (most == 0 || under_way < most)
        return true;
    fleet_end_login(b);
    return false;
}

void fleet_end_login(struct fleet_backend *b)
{
    unsigned before = atomic_fetch_sub_explicit(&b->logins, 1, memory_order_relaxed);

    ENSURE(before > 0);
}

uint64_t fleet_sessions(const struct fleet_backend *b)
{
    return atomic_load_explicit(&b->sessions, memory_order_relaxed);
}

void fleet_login_reached(struct fleet *fleet, struct fleet_backend *b, uint64_t now)
{
    enum health_news news;
    uint64_t since;

    uv_mutex_lock(&fleet->lock);
    since = b->health.since;
    news = health_login_reached(&b->health, &b->rules, now);
    tell_and_unlock(fleet, b, news, "logins", now - since);
}

void fleet_login_failed(struct fleet *fleet, struct fleet_backend *b, const char *why, bool silent,
                        uint64_t began, uint64_t now)
{
    enum health_news news;

    uv_mutex_lock(&fleet->lock);
    news = health_login_failed(&b->health, &b->rules, slice_str(why), silent, began, now);
    tell_and_unlock(fleet, b, news, "logins", 0);
}

/* --- what the prober calls -------------------------------------------------------------------- */

void fleet_probed(struct fleet *fleet, struct fleet_backend *b, bool up, const char *why,
                  bool silent, uint64_t now)
{
    enum health_news news;
    uint64_t since;

    uv_mutex_lock(&fleet->lock);
    since = b->health.since;
    b->probed = now;
    news = health_probed(&b->health, &b->rules, up, slice_str(why), silent, now);
    tell_and_unlock(fleet, b, news, "probe", now - since);
}

bool fleet_unsettled(struct fleet *fleet, const struct fleet_backend *b)
{
    bool unsettled;

    uv_mutex_lock(&fleet->lock);
    unsettled = health_is_unsettled(&b->health);
    uv_mutex_unlock(&fleet->lock);
    return unsettled;
}

/* --- what the operator asks for ----------------------------------------------------------------
 */

const char *fleet_name(const struct fleet_backend *b)
{
    return b->name;
}

/* Sets one of the operator's flags, and tells it when that is news. */
static void operate(struct fleet *fleet, struct fleet_backend *b, bool *flag, bool value,
                    const char *event)
{
    struct log_line line;
    bool news, told;

    uv_mutex_lock(&fleet->lock);
    news = *flag != value;
    *flag = value;
    if (news)
        b->operated = fleet_clock();
    told = news && line_begin(fleet, b, value, event, "operator", &line);
    uv_mutex_unlock(&fleet->lock);
    if (told)
        log_end(&line);
}

void fleet_set_down(struct fleet *fleet, struct fleet_backend *b, bool down)
{
    operate(fleet, b, &b->health.set_down, down, down ? "backend_down" : "backend_up");
}

void fleet_set_draining(struct fleet *fleet, struct fleet_backend *b, bool draining)
{
    operate(fleet, b, &b->health.draining, draining,
            draining ? "backend_draining" : "backend_undrained");
}

static uint64_t age(uint64_t now, uint64_t then)
{
    return now > then ? now - then : 0;
}

void fleet_look(struct fleet *fleet, const struct fleet_backend *b, uint64_t now,
                struct fleet_view *out)
{
    const struct health *h = &b->health;
    bool down;

    uv_mutex_lock(&fleet->lock);
    down = !health_is_up(h);
    *out = (struct fleet_view){
        .state = down          ? "down"
                 : h->draining ? "draining"
                               : "up",
        .by = h->set_down ? "operator" : cause_names[h->down],
        .since = age(now, h->set_down || (h->draining && !down) ? b->operated : h->since),
        .configured = b->configured,
        .set_down = h->set_down,
        .draining = h->draining,
        .sessions = fleet_sessions(b),
        .max_sessions = b->max_sessions,
        .logins_failed = h->logins,
        .probes_contradicting = h->probes,
        .probed = b->probed == FLEET_NEVER ? FLEET_NEVER : age(now, b->probed),
    };
    memcpy(out->why, h->why, sizeof(out->why));
    uv_mutex_unlock(&fleet->lock);
}
