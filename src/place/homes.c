/*
 * The rule that keeps a user at one backend. Owns a bounded table; borrows tokens of backends. The
 * backend of a home changes only while nobody holds a lease there, so that two are never used at
 * the same time; that is the whole proof. Never waits, never ends a session itself.
 */
#include "waypost/place/homes.h"

/* How soon somebody asks again who waits for others to leave. */
#define ASK_AGAIN 100u
/* And who waits for a backend that serves others but could not be reached. */
#define RETRY 1000u

bool homes_init(struct homes *h, uint32_t room)
{
    return limit_table_init(&h->table, sizeof(struct home), room, UINT64_MAX);
}

void homes_fini(struct homes *h)
{
    limit_table_fini(&h->table);
}

/* Idle for longer than that, a home is as good as forgotten. */
static bool outlived(const struct home *home, uint64_t linger, uint64_t now)
{
    uint64_t touched = home->entry.touched;

    return home->entry.held == 0 && now > touched && now - touched >= linger;
}

static void forget(struct home *home)
{
    home->at = home->ordered = NULL;
    home->free_at = home->held_until = 0;
    home->lingers = home->pinned = home->failing = false;
    atomic_store_explicit(&home->leaving, false, memory_order_relaxed);
}

static bool is_leaving(const struct home *home)
{
    return atomic_load_explicit(&home->leaving, memory_order_relaxed);
}

void homes_evict(struct home *home)
{
    if (home->leases > 0)
        atomic_store_explicit(&home->leaving, true, memory_order_relaxed);
}

/* --- placing ---------------------------------------------------------------------------------- */

static struct home_answer wait_until(uint64_t until)
{
    return (struct home_answer){.verdict = HOME_HELD, .until = until};
}

static struct home_answer wait_for_leavers(uint64_t now)
{
    return (struct home_answer){.verdict = HOME_HELD, .until = now + ASK_AGAIN, .evicting = true};
}

static struct home_answer grant(struct homes *h, struct home *home, const void *at)
{
    home->at = at;
    home->leases++;
    limit_table_hold(&h->table, home);
    return (struct home_answer){.verdict = HOME_PLACED, .home = home, .at = at};
}

/* Others are there: this one joins them, or waits until they have gone. */
static struct home_answer join(struct homes *h, struct home *home, const struct home_query *q,
                               uint64_t now)
{
    if (is_leaving(home))
        return wait_for_leavers(now);
    if (!q->serves(q->ctx, home->at)) {
        homes_evict(home);
        return wait_for_leavers(now);
    }
    if (home->at == q->failed) {
        /* Those who are still on their way there will see for themselves; a session shows that it
         * can be reached after all. */
        home->failing = home->sessions == 0;
        return wait_until(now + (home->failing ? ASK_AGAIN : RETRY));
    }
    if (home->failing)
        return wait_until(now + ASK_AGAIN);
    return grant(h, home, home->at);
}

static bool among(const struct home_query *q, const void *backend)
{
    for (size_t i = 0; i < q->choice_count; i++) {
        if (q->choices[i] == backend)
            return true;
    }
    return false;
}

static bool at_home(const struct home *home, const struct home_query *q)
{
    return home->at != NULL && home->at != q->failed && (home->pinned || among(q, home->at)) &&
           q->admits(q->ctx, home->at);
}

/* Nobody is there, so he may be anywhere; at home, if that can be. */
static struct home_answer enter(struct homes *h, struct home *home, const struct home_query *q,
                                uint64_t now)
{
    home->failing = false;
    atomic_store_explicit(&home->leaving, false, memory_order_relaxed);
    if (at_home(home, q))
        return grant(h, home, home->at);
    if (now < home->free_at)
        return wait_until(home->free_at);
    for (size_t i = 0; i < q->choice_count; i++) {
        const void *to = q->choices[i];
        if (to == q->failed || to == home->at || !q->admits(q->ctx, to))
            continue;
        home->pinned = false;
        return grant(h, home, to);
    }
    return (struct home_answer){.verdict = HOME_NOWHERE};
}

static void end_hold(struct homes *h, struct home *home, uint64_t now)
{
    home->held_until = 0;
    limit_table_release(&h->table, home, now);
}

/* What nobody uses and nobody has used is not kept. */
static void tidy(struct homes *h, struct home *home)
{
    if (home->entry.held == 0 && !home->lingers)
        limit_table_forget(&h->table, home);
}

struct home_answer homes_place(struct homes *h, const struct home_query *query, uint64_t now)
{
    struct home *home;
    struct home_answer answer;

    h->table.lifetime = query->linger;
    home = limit_table_get(&h->table, query->key, now);
    if (home == NULL)
        return (struct home_answer){.verdict = HOME_FULL};
    if (outlived(home, query->linger, now))
        forget(home);
    if (home->held_until != 0 && now >= home->held_until)
        end_hold(h, home, now);
    if (home->ordered != NULL && home->leases > 0)
        answer = wait_for_leavers(now);
    else if (home->ordered != NULL || home->held_until != 0)
        answer = wait_until(now + ASK_AGAIN);
    else if (home->leases > 0)
        answer = join(h, home, query, now);
    else
        answer = enter(h, home, query, now);
    tidy(h, home);
    return answer;
}

void homes_settle(struct home *home)
{
    home->sessions++;
    home->lingers = true;
    home->failing = false;
}

void homes_release(struct homes *h, struct home *home, bool session, uint64_t settle, uint64_t now)
{
    REQUIRE(home->leases > 0 && (!session || home->sessions > 0));
    home->leases--;
    if (session) {
        home->sessions--;
        home->free_at = now + settle;
    }
    limit_table_release(&h->table, home, now);
    tidy(h, home);
}

/* --- orders ----------------------------------------------------------------------------------- */

struct home *homes_order(struct homes *h, uint64_t key, const void *to, uint64_t now)
{
    struct home *home = limit_table_get(&h->table, key, now);

    if (home == NULL || home->ordered != NULL)
        return NULL;
    home->ordered = to;
    limit_table_hold(&h->table, home);
    homes_evict(home);
    return home;
}

bool homes_vacant(const struct home *home, uint64_t now)
{
    return home->leases == 0 && (now >= home->free_at || home->at == home->ordered);
}

bool homes_obeyed(struct homes *h, struct home *home, uint64_t now)
{
    bool vacant = homes_vacant(home, now);

    if (vacant) {
        home->at = home->ordered;
        home->pinned = home->lingers = true;
    }
    home->ordered = NULL;
    atomic_store_explicit(&home->leaving, false, memory_order_relaxed);
    limit_table_release(&h->table, home, now);
    tidy(h, home);
    return vacant;
}

bool homes_hold(struct homes *h, uint64_t key, uint64_t until, uint64_t now)
{
    struct home *home = limit_table_get(&h->table, key, now);

    if (home == NULL)
        return false;
    if (home->held_until == 0 && until != 0)
        limit_table_hold(&h->table, home);
    if (home->held_until != 0 && until == 0)
        end_hold(h, home, now);
    home->held_until = until;
    tidy(h, home);
    return true;
}

bool homes_held(struct homes *h, uint64_t key, uint64_t now)
{
    struct home *home = limit_table_find(&h->table, key);

    if (home == NULL || home->held_until == 0 || now < home->held_until)
        return home != NULL && home->held_until != 0;
    end_hold(h, home, now);
    tidy(h, home);
    return false;
}

const struct home *homes_find(struct homes *h, uint64_t key, uint64_t linger, uint64_t now)
{
    const struct home *home = limit_table_find(&h->table, key);

    return home == NULL || outlived(home, linger, now) ? NULL : home;
}
