/*
 * Shares the homes of users among all threads. Owns tables, locks and the random key of the hash;
 * borrows the backends, which are the fleet's. Lock order: a shard's before the fleet's, because
 * what a backend can take is asked while a user is being placed. Never closes a connection itself.
 */
#include "run/registry.h"

#include <string.h>
#include <sys/random.h>

/* Users at home and users who linger. */
#define ENTRIES_PER_SESSION 2u
#define ENTRIES_MIN         65536u
#define ENTRIES_MAX         (1u << 24)

static struct registry_shard *shard_of(struct registry *r, uint64_t key)
{
    return &r->shards[key >> 60]; /* the table uses the low bits */
}
static_assert(REGISTRY_SHARDS == 16, "four bits choose one");

uint64_t registry_key(const struct registry *r, const char *cluster, struct slice login)
{
    char text[LIMIT_USER + 1];
    struct str name = STR_ON(text);
    uint64_t key;

    for (size_t i = 0; i < login.len; i++)
        str_addc(&name, ascii_lower(login.ptr[i]));
    key = limit_key_user(&r->keys, str_slice(&name));
    return cluster == NULL
               ? key
               : limit_key_both(&r->keys, key, limit_key_user(&r->keys, slice_str(cluster)));
}

/* --- sessions --------------------------------------------------------------------------------- */

struct home_answer registry_place(struct registry *r, const struct home_query *query, uint64_t now)
{
    struct registry_shard *shard = shard_of(r, query->key);
    struct home_answer answer;

    uv_mutex_lock(&shard->lock);
    answer = homes_place(&shard->homes, query, now);
    uv_mutex_unlock(&shard->lock);
    if (answer.evicting)
        r->disturb(r->ctx);
    return answer;
}

bool registry_held(struct registry *r, uint64_t key, uint64_t now)
{
    struct registry_shard *shard = shard_of(r, key);
    bool held;

    if (atomic_load_explicit(&r->holds, memory_order_relaxed) == 0)
        return false;
    uv_mutex_lock(&shard->lock);
    held = homes_held(&shard->homes, key, now);
    uv_mutex_unlock(&shard->lock);
    return held;
}

void registry_settle(struct registry *r, uint64_t key, struct home *home)
{
    struct registry_shard *shard = shard_of(r, key);

    uv_mutex_lock(&shard->lock);
    homes_settle(home);
    uv_mutex_unlock(&shard->lock);
}

void registry_release(struct registry *r, uint64_t key, struct home *home, bool session,
                      uint64_t settle, uint64_t now)
{
    struct registry_shard *shard = shard_of(r, key);

    uv_mutex_lock(&shard->lock);
    homes_release(&shard->homes, home, session, settle, now);
    uv_mutex_unlock(&shard->lock);
}

void registry_evict(struct registry *r, uint64_t key, struct home *home)
{
    struct registry_shard *shard = shard_of(r, key);

    uv_mutex_lock(&shard->lock);
    homes_evict(home);
    uv_mutex_unlock(&shard->lock);
    r->disturb(r->ctx);
}

/* --- the operator ----------------------------------------------------------------------------- */

struct home *registry_order(struct registry *r, uint64_t key, const struct fleet_backend *to,
                            uint64_t now)
{
    struct registry_shard *shard = shard_of(r, key);
    struct home *home;

    uv_mutex_lock(&shard->lock);
    home = homes_order(&shard->homes, key, to, now);
    uv_mutex_unlock(&shard->lock);
    if (home != NULL)
        r->disturb(r->ctx);
    return home;
}

bool registry_vacant(struct registry *r, uint64_t key, const struct home *home, uint64_t now)
{
    struct registry_shard *shard = shard_of(r, key);
    bool vacant;

    uv_mutex_lock(&shard->lock);
    vacant = homes_vacant(home, now);
    uv_mutex_unlock(&shard->lock);
    return vacant;
}

bool registry_obeyed(struct registry *r, uint64_t key, struct home *home, uint64_t now)
{
    struct registry_shard *shard = shard_of(r, key);
    bool obeyed;

    uv_mutex_lock(&shard->lock);
    obeyed = homes_obeyed(&shard->homes, home, now);
    uv_mutex_unlock(&shard->lock);
    return obeyed;
}

bool registry_hold(struct registry *r, uint64_t key, uint64_t until, uint64_t now)
{
    struct registry_shard *shard = shard_of(r, key);
    bool good;

    atomic_store_explicit(&r->holds, true, memory_order_relaxed);
    uv_mutex_lock(&shard->lock);
    good = homes_hold(&shard->homes, key, until, now);
    uv_mutex_unlock(&shard->lock);
    return good;
}

bool registry_look(struct registry *r, uint64_t key, uint64_t linger, uint64_t now,
                   struct registry_view *out)
{
    struct registry_shard *shard = shard_of(r, key);
    const struct home *home;

    uv_mutex_lock(&shard->lock);
    home = homes_find(&shard->homes, key, linger, now);
    if (home != NULL)
        *out = (struct registry_view){home->at,         home->ordered, home->pinned,
                                      home->held_until, home->leases,  home->sessions};
    uv_mutex_unlock(&shard->lock);
    return home != NULL;
}

/* --- begin and end ---------------------------------------------------------------------------- */

static bool shard_init(struct registry_shard *shard, uint32_t entries)
{
    if (!homes_init(&shard->homes, entries))
        return false;
    if (uv_mutex_init(&shard->lock) == 0)
        return true;
    homes_fini(&shard->homes);
    return false;
}

static void shard_fini(struct registry_shard *shard)
{
    uv_mutex_destroy(&shard->lock);
    homes_fini(&shard->homes);
}

bool registry_init(struct registry *r, uint64_t sessions, void (*disturb)(void *ctx), void *ctx)
{
    unsigned char bytes[LIMIT_KEY_SIZE];
    uint32_t entries = limit_table_room(sessions * ENTRIES_PER_SESSION, ENTRIES_MIN, ENTRIES_MAX);
    unsigned made = 0;

    *r = (struct registry){.disturb = disturb, .ctx = ctx};
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    r->keys = limit_keys_from(bytes);
    while (made < REGISTRY_SHARDS && shard_init(&r->shards[made], entries / REGISTRY_SHARDS))
        made++;
    if (made == REGISTRY_SHARDS)
        return true;
    while (made > 0)
        shard_fini(&r->shards[--made]);
    return false;
}

void registry_fini(struct registry *r)
{
    for (size_t i = 0; i < REGISTRY_SHARDS; i++)
        shard_fini(&r->shards[i]);
}
