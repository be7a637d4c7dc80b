/*
 * The homes of users as several threads share them: whatever they do at the same time, nobody is
 * ever at two backends, and nobody waits for ever.
 */
#include "run/registry.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define THREADS  4u
#define USERS    8u
#define BACKENDS 3u
#define ROUNDS   20000u

/* A backend counts the logins of each user; only one may have any. */
static struct backend {
    atomic_bool up;
    atomic_int logins[USERS];
} backends[BACKENDS];

static struct registry registry;
static atomic_uint disturbed, placed, moved, violations;

static void disturb(void *ctx)
{
    UNUSED(ctx);
    atomic_fetch_add(&disturbed, 1);
}

static bool is_up(void *ctx, const void *backend)
{
    const struct backend *at = backend;
    UNUSED(ctx);
    return atomic_load(&at->up);
}

static uint64_t key_of(size_t user)
{
    char name[16];
    snprintf(name, sizeof(name), "User%zu", user);
    return registry_key(&registry, "mail", slice_str(name));
}

static void begin(void)
{
    cr_assert(registry_init(&registry, 100, disturb, NULL));
    for (size_t i = 0; i < BACKENDS; i++)
        atomic_store(&backends[i].up, true);
}

static void end(void)
{
    registry_fini(&registry);
}

TestSuite(registry, .init = begin, .fini = end, .timeout = 120);

static struct home_answer ask(size_t user, unsigned seed, uint64_t now)
{
    const void *choices[BACKENDS];
    struct home_query query = {
        .key = key_of(user),
        .choices = choices,
        .choice_count = BACKENDS,
        .admits = is_up,
        .serves = is_up,
        .linger = 20,
    };

    for (size_t i = 0; i < BACKENDS; i++)
        choices[i] = &backends[(i + seed) % BACKENDS];
    return registry_place(&registry, &query, now);
}

Test(registry, keys_tell_clusters_and_names_apart_but_not_letters)
{
    uint64_t ann = registry_key(&registry, "mail", SLICE("ann@example.org"));

    cr_expect_eq(ann, registry_key(&registry, "mail", SLICE("Ann@EXAMPLE.org")));
    cr_expect_neq(ann, registry_key(&registry, "mail", SLICE("bob@example.org")));
    cr_expect_neq(ann, registry_key(&registry, "other", SLICE("ann@example.org")));
    cr_expect_neq(ann, registry_key(&registry, NULL, SLICE("ann@example.org")));
}

Test(registry, a_view_of_a_user)
{
    struct registry_view view;
    struct home_answer answer = ask(1, 2, 5);

    cr_assert_eq(answer.verdict, HOME_PLACED);
    registry_settle(&registry, key_of(1), answer.home);
    cr_assert(registry_look(&registry, key_of(1), 20, 6, &view));
    cr_expect_eq((const void *)view.at, (const void *)&backends[2]);
    cr_expect(view.logins == 1 && view.sessions == 1 && view.held_until == 0);
    registry_release(&registry, key_of(1), answer.home, true, 0, 7);
    cr_expect(registry_look(&registry, key_of(1), 20, 26, &view));
    cr_expect_not(registry_look(&registry, key_of(1), 20, 27, &view));
    cr_expect_not(registry_look(&registry, key_of(2), 20, 7, &view));
}

Test(registry, whoever_must_leave_is_disturbed)
{
    struct home_answer answer = ask(1, 0, 5);

    registry_settle(&registry, key_of(1), answer.home);
    cr_expect_eq(atomic_load(&disturbed), 0);
    atomic_store(&backends[0].up, false);
    cr_expect_eq(ask(1, 0, 6).verdict, HOME_HELD);
    cr_expect_eq(atomic_load(&disturbed), 1);
    cr_expect(registry_leaving(answer.home));
    registry_release(&registry, key_of(1), answer.home, true, 0, 7);
    cr_expect_eq(ask(1, 0, 8).at, &backends[1]);
}

Test(registry, held_users_of_any_kind)
{
    uint64_t nobody = registry_key(&registry, NULL, SLICE("ann"));

    cr_expect_not(registry_held(&registry, nobody, 1));
    cr_assert(registry_hold(&registry, nobody, 10, 1));
    cr_expect(registry_held(&registry, nobody, 9));
    cr_expect_not(registry_held(&registry, key_of(1), 9));
    cr_expect_not(registry_held(&registry, nobody, 10));
}

/* --- many threads ----------------------------------------------------------------------------- */

static void visit(struct backend *backend, size_t user)
{
    size_t elsewhere = 0;

    atomic_fetch_add(&backend->logins[user], 1);
    for (size_t i = 0; i < BACKENDS; i++)
        elsewhere += &backends[i] != backend && atomic_load(&backends[i].logins[user]) > 0;
    if (elsewhere > 0)
        atomic_fetch_add(&violations, 1);
}

static void order(size_t user, unsigned *seed, uint64_t now)
{
    const void *to = &backends[(size_t)rand_r(seed) % BACKENDS];
    struct home *home = registry_order(&registry, key_of(user), to, now);

    if (home != NULL && registry_obeyed(&registry, key_of(user), home, now + 1))
        atomic_fetch_add(&moved, 1);
}

static void log_in_and_out(size_t user, unsigned *seed, uint64_t now)
{
    struct home_answer answer = ask(user, (unsigned)rand_r(seed), now);
    struct backend *at;
    bool session = rand_r(seed) % 2 == 0;

    if (answer.verdict != HOME_PLACED)
        return;
    at = &backends[(const struct backend *)answer.at - backends];
    atomic_fetch_add(&placed, 1);
    visit(at, user);
    if (session)
        registry_settle(&registry, key_of(user), answer.home);
    if (rand_r(seed) % 16 == 0)
        registry_evict(&registry, key_of(user), answer.home);
    (void)registry_leaving(answer.home);
    atomic_fetch_sub(&at->logins[user], 1);
    registry_release(&registry, key_of(user), answer.home, session, 0, now);
}

static void storm(void *arg)
{
    unsigned seed = *(unsigned *)arg;

    for (uint64_t now = 1; now < ROUNDS; now++) {
        size_t user = (size_t)rand_r(&seed) % USERS;
        int what = rand_r(&seed) % 64;
        if (what == 0)
            atomic_store(&backends[now % BACKENDS].up, rand_r(&seed) % 4 != 0);
        else if (what < 4)
            order(user, &seed, now);
        else
            log_in_and_out(user, &seed, now);
    }
}

Test(registry, nobody_is_at_two_backends_however_many_threads_there_are)
{
    unsigned seeds[THREADS];
    uv_thread_t threads[THREADS];
    struct registry_view view;

    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        cr_assert_eq(uv_thread_create(&threads[i], storm, &seeds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        uv_thread_join(&threads[i]);
    cr_expect_eq(atomic_load(&violations), 0);
    cr_expect_gt(atomic_load(&placed), ROUNDS);
    cr_expect_gt(atomic_load(&moved), 0);
    for (size_t user = 0; user < USERS; user++)
        cr_expect_not(registry_look(&registry, key_of(user), 20, ROUNDS + 100, &view));
}
