/*
 * Shares the tables of src/limit among all threads. Owns tables, locks and the random keys; borrows
 * log and counters. Lock order: one lock at a time. Never keeps a password, never refuses anybody
 * because a table is full, never closes a connection itself.
 */
#include "run/gate.h"

#include <string.h>
#include <sys/random.h>

/* A session holds up to three counts, and its address may be remembered for its attempts. */
#define ENTRIES_PER_SESSION 4u
#define ENTRIES_MIN         16384u
#define ENTRIES_MAX         (1u << 24)
#define PENALTIES           65536u

static struct gate_shard *shard_of(struct gate *g, uint64_t key)
{
    return &g->shards[key >> 60]; /* the table uses the low bits */
}
static_assert(GATE_SHARDS == 16, "four bits choose one");

/* --- telling ---------------------------------------------------------------------------------- */

/* Of the configuration in whose name we speak; none is shared, because a reload may change it. */
static struct log log_of(const struct gate *g, const struct conf *conf)
{
    return (struct log){conf->log.level, conf->log.format, g->sink, g->sink_ctx};
}

static void tell_overflow(struct gate *g, const struct conf *conf)
{
    struct log log = log_of(g, conf);

    if (atomic_exchange(&g->overflowed, true) || log.sink == NULL)
        return;
    log_note(&log, LEVEL_WARN, "limits_untracked", "text",
             "more sessions than limits.sessions allowed for at the start: some are not counted "
             "for users and addresses");
}

/* True when it is time for a line about this limit; *times is how often it was reached since the
 * last one. */
static bool is_news(struct gate *g, enum limited limited, uint64_t now, uint64_t *times)
{
    struct gate_news *news = &g->news[limited];
    bool quiet;

    uv_mutex_lock(&g->news_lock);
    quiet = news->spoke && now < news->quiet_until;
    *times = ++news->times;
    if (!quiet) {
        news->spoke = true;
        news->quiet_until = now + GATE_LOG_EVERY_MS;
        news->times = 0;
    }
    uv_mutex_unlock(&g->news_lock);
    return !quiet;
}

/* Counts and tells. A flood is worth a line now and then, not a flood of lines: it names the latest
 * of those whom the limit has stopped. */
static enum limited stop(struct gate *g, const struct conf *conf, enum limited limited,
                         struct slice user, const struct gate_pass *pass, uint64_t now)
{
    struct log log = log_of(g, conf);
    bool arriving = limited == LIMITED_unauthenticated_per_address;
    char text[ADDR_TEXT];
    struct log_line line;
    uint64_t times;

    metric_add(&g->metrics->limited[limited], 1);
    if (!is_news(g, limited, now, &times) || log.sink == NULL ||
        !log_begin(&line, &log, LEVEL_WARN, "limited"))
        return limited;
    log_text(&line, "limit", slice_str(limited_name[limited]));
    if (user.len > 0)
        log_text(&line, "user", user);
    log_text(&line, "client", slice_str(addr_format(&pass->from, false, text)));
    log_num(&line, arriving ? "connections" : "logins", times);
    log_end(&line);
    return limited;
}

/* --- one table at a time ---------------------------------------------------------------------- */

static bool enter(struct gate *g, const struct conf *conf, uint64_t key, enum crowd_kind kind,
                  unsigned max, uint64_t now, uint32_t *position)
{
    struct gate_shard *shard = shard_of(g, key);
    enum crowd_verdict verdict;

    uv_mutex_lock(&shard->lock);
    verdict = crowd_enter(&shard->crowd, key, kind, max, now, position);
    uv_mutex_unlock(&shard->lock);
    if (verdict == CROWD_UNTRACKED)
        tell_overflow(g, conf);
    return verdict != CROWD_REFUSED;
}

static void leave(struct gate *g, uint64_t key, enum crowd_kind kind, uint64_t now,
                  uint32_t *position)
{
    struct gate_shard *shard = shard_of(g, key);

    if (*position == 0)
        return;
    uv_mutex_lock(&shard->lock);
    crowd_leave(&shard->crowd, position, kind, now);
    uv_mutex_unlock(&shard->lock);
}

/* --- what sessions call ----------------------------------------------------------------------- */

static bool trusted(const struct conf_limits *limits, const struct addr *address)
{
    for (size_t i = 0; i < limits->trusted_count; i++) {
        if (cidr_has(&limits->trusted[i], address))
            return true;
    }
    return false;
}

static enum limited arrive(void *ctx, const struct conf *conf, const struct addr *address,
                           struct gate_pass *pass, uint64_t now)
{
    struct gate *g = ctx;

    pass->from = *address;
    pass->address = limit_key_address(&g->keys, address);
    pass->exempt = pass->exempt || trusted(&conf->limits, address);
    if (pass->exempt || enter(g, conf, pass->address, CROWD_EARLY,
                              conf->limits.unauthenticated_per_address, now, &pass->early))
        return LIMITED_none;
    return stop(g, conf, LIMITED_unauthenticated_per_address, SLICE(""), pass, now);
}

static enum limited attempt(void *ctx, const struct conf *conf, const struct gate_pass *pass,
                            uint64_t now)
{
    struct gate *g = ctx;
    struct gate_shard *shard = shard_of(g, pass->address);
    unsigned max = conf->limits.logins_per_minute_per_address;
    bool good;

    if (pass->exempt || max == 0)
        return LIMITED_none;
    uv_mutex_lock(&shard->lock);
    good = crowd_attempt(&shard->crowd, pass->address, max, now);
    uv_mutex_unlock(&shard->lock);
    return good ? LIMITED_none
                : stop(g, conf, LIMITED_logins_per_minute_per_address, SLICE(""), pass, now);
}

static uint64_t failed(void *ctx, const struct conf *conf, const struct gate_pass *pass,
                       struct slice user, struct slice secret, uint64_t now)
{
    struct gate *g = ctx;
    struct gate_shard *shard = shard_of(g, pass->address);
    uint64_t fingerprint;
    unsigned failures;

    if (pass->exempt)
        return 0;
    fingerprint = limit_fingerprint(&g->secrets, user, secret);
    uv_mutex_lock(&shard->lock);
    failures =
        penalty_add(&shard->penalties, pass->address, secret.len > 0 ? &fingerprint : NULL, now);
    uv_mutex_unlock(&shard->lock);
    return penalty_delay(conf->auth.penalty_first, conf->auth.penalty_max, failures);
}

static void forgive(struct gate *g, uint64_t address)
{
    struct gate_shard *shard = shard_of(g, address);

    uv_mutex_lock(&shard->lock);
    penalty_clear(&shard->penalties, address);
    uv_mutex_unlock(&shard->lock);
}

static void leave_all(struct gate *g, struct gate_pass *pass, uint64_t now)
{
    leave(g, pass->user, CROWD_OPEN, now, &pass->of_user);
    leave(g, limit_key_both(&g->keys, pass->user, pass->address), CROWD_OPEN, now, &pass->of_both);
    leave(g, pass->address, CROWD_OPEN, now, &pass->of_address);
}

static enum limited admit(void *ctx, const struct conf *conf, struct slice user,
                          struct gate_pass *pass, uint64_t now)
{
    const struct conf_limits *limits = &conf->limits;
    enum limited limited = LIMITED_none;
    struct gate *g = ctx;
    uint64_t both;

    pass->user = limit_key_user(&g->keys, user);
    both = limit_key_both(&g->keys, pass->user, pass->address);
    forgive(g, pass->address);
    if (!enter(g, conf, pass->user, CROWD_OPEN, limits->sessions_per_user, now, &pass->of_user))
        limited = LIMITED_sessions_per_user;
    else if (!pass->exempt && !enter(g, conf, both, CROWD_OPEN,
                                     limits->sessions_per_user_and_address, now, &pass->of_both))
        limited = LIMITED_sessions_per_user_and_address;
    else if (!pass->exempt && !enter(g, conf, pass->address, CROWD_OPEN,
                                     limits->sessions_per_address, now, &pass->of_address))
        limited = LIMITED_sessions_per_address;
    if (limited == LIMITED_none) {
        leave(g, pass->address, CROWD_EARLY, now, &pass->early);
        return LIMITED_none;
    }
    leave_all(g, pass, now);
    return stop(g, conf, limited, user, pass, now);
}

static void leave_gate(void *ctx, struct gate_pass *pass, uint64_t now)
{
    struct gate *g = ctx;

    leave(g, pass->address, CROWD_EARLY, now, &pass->early);
    leave_all(g, pass, now);
}

/* --- begin and end ---------------------------------------------------------------------------- */

static bool draw_keys(struct gate *g)
{
    unsigned char bytes[2 * LIMIT_KEY_SIZE];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    g->keys = limit_keys_from(bytes);
    g->secrets = limit_keys_from(bytes + LIMIT_KEY_SIZE);
    explicit_bzero(bytes, sizeof(bytes));
    return true;
}

static bool shard_init(struct gate_shard *shard, uint32_t entries)
{
    if (!crowd_init(&shard->crowd, entries))
        return false;
    if (penalties_init(&shard->penalties, PENALTIES / GATE_SHARDS)) {
        if (uv_mutex_init(&shard->lock) == 0)
            return true;
        penalties_fini(&shard->penalties);
    }
    crowd_fini(&shard->crowd);
    return false;
}

static void shard_fini(struct gate_shard *shard)
{
    uv_mutex_destroy(&shard->lock);
    penalties_fini(&shard->penalties);
    crowd_fini(&shard->crowd);
}

bool gate_init(struct gate *g, uint64_t sessions, struct metrics *metrics, log_sink *sink,
               void *sink_ctx)
{
    uint32_t entries = limit_table_room(sessions * ENTRIES_PER_SESSION, ENTRIES_MIN, ENTRIES_MAX);
    unsigned made = 0;

    *g = (struct gate){.sink = sink, .sink_ctx = sink_ctx, .metrics = metrics};
    g->view = (struct session_gate){
        .ctx = g,
        .arrive = arrive,
        .attempt = attempt,
        .failed = failed,
        .admit = admit,
        .leave = leave_gate,
    };
    if (!draw_keys(g) || uv_mutex_init(&g->news_lock) != 0)
        return false;
    while (made < GATE_SHARDS && shard_init(&g->shards[made], entries / GATE_SHARDS))
        made++;
    if (made == GATE_SHARDS)
        return true;
    while (made > 0)
        shard_fini(&g->shards[--made]);
    uv_mutex_destroy(&g->news_lock);
    return false;
}

void gate_fini(struct gate *g)
{
    for (size_t i = 0; i < GATE_SHARDS; i++)
        shard_fini(&g->shards[i]);
    uv_mutex_destroy(&g->news_lock);
    explicit_bzero(&g->secrets, sizeof(g->secrets));
}
