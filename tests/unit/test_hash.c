/*
 * Where users are placed: the values are a promise to every table in use, and the properties are
 * those for which weighted rendezvous hashing was chosen.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "waypost/route/hash.h"

TestSuite(hash);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define USERS 50000u
#else
#define USERS 1000000u
#endif

#define MEMBERS_MAX 40u

static struct slice user_name(size_t i, char storage[32])
{
    int len = snprintf(storage, 32, "user%zu@example.net", i);
    return slice_of(storage, (size_t)len);
}

static struct conf_pool pool_of(struct conf_member *members, size_t count)
{
    return (struct conf_pool){.name = (char[]){"p"},
                              .members = members,
                              .member_count = count,
                              .choose = CONF_CHOOSE_USER_HASH,
                              .failover = true};
}

static const struct conf_member *first_of(const struct conf_pool *pool, struct slice user,
                                          uint64_t turn)
{
    struct hash_place out[LIMIT_CANDIDATES];

    cr_assert_gt(hash_order(pool, user, turn, NULL, out), 0);
    return out[0].member;
}

/* Computed apart from this program, with the reference library and long real arithmetic. */
Test(hash, these_values_never_change)
{
    static const struct {
        enum hash_purpose purpose;
        const char *name, *user;
        uint64_t hash;
        uint32_t log2;
        unsigned percent;
    } rows[] = {
        {HASH_MEMBER, "east", "alice@example.net", 0x9ff3bcba698f42c3, 11383407, 0},
        {HASH_MEMBER, "west", "alice@example.net", 0xee79b64c4413787e, 1716362, 0},
        {HASH_MEMBER, "east", "bob", 0xf92327f92d893290, 657711, 0},
        {HASH_MEMBER, "imap-07.example.net",
         "j\xC3\xB6"
         "rg@example.org",
         0xcec1be52ff4a667d, 5170889, 0},
        {HASH_PERCENT, "new", "alice@example.net", 0x84ac7ee0118eac8c, 15909167, 51},
        {HASH_PERCENT, "", "bob", 0xdef3940bc7db4039, 3345613, 87},
        {HASH_PERCENT, "east", "alice@example.net", 0x5304b07904b48d69, 27256974, 32},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice name = slice_str(rows[i].name), user = slice_str(rows[i].user);
        uint64_t hash = hash_user(rows[i].purpose, name, user);
        cr_expect_eq(hash, rows[i].hash, "row %zu: %llx", i, (unsigned long long)hash);
        cr_expect_eq(hash_log2(hash), rows[i].log2, "row %zu: %u", i, hash_log2(hash));
        if (rows[i].purpose == HASH_PERCENT)
            cr_expect_eq(hash_percent(name, user), rows[i].percent, "row %zu", i);
    }
}

Test(hash, the_logarithm_is_exact_where_it_is_whole_and_never_rises)
{
    uint32_t last = UINT32_MAX;

    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = (uint64_t)1 << bit;
        cr_expect_eq(hash_log2(power), (64 - bit) << 24, "2^%u", bit);
        cr_expect_leq(hash_log2(power + power / 3), hash_log2(power));
        cr_expect_leq(hash_log2(power), last);
        last = hash_log2(power + power / 2);
    }
    cr_expect_eq(hash_log2(0), 64u << 24);
    cr_expect_eq(hash_log2(UINT64_MAX), 1);
}

Test(hash, a_new_member_takes_its_share_and_moves_nobody_else)
{
    struct conf_member members[MEMBERS_MAX];
    char names[MEMBERS_MAX][16], storage[32];
    size_t counts[] = {1, 2, 9, 39};

    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "imap-%zu", i);
        members[i] = (struct conf_member){.name = names[i], .weight = 100};
    }
    for (size_t c = 0; c < COUNT_OF(counts); c++) {
        size_t n = counts[c], users = n == 39 ? USERS / 10 : USERS / 4, moved = 0;
        struct conf_pool before = pool_of(members, n), after = pool_of(members, n + 1);
        for (size_t i = 0; i < users; i++) {
            struct slice user = user_name(i, storage);
            const struct conf_member *to = first_of(&after, user, 0);
            if (to == first_of(&before, user, 0))
                continue;
            moved++;
            cr_assert_eq(to, &members[n]);
        }
        double share = (double)moved / (double)users, fair = 1.0 / (double)(n + 1);
        cr_expect(share <= fair + 0.01 && share >= fair - 0.01, "%zu + 1: %f", n, share);
    }
}

Test(hash, shares_follow_the_weights)
{
    struct conf_member members[] = {{.name = (char[]){"a"}, .weight = 100},
                                    {.name = (char[]){"b"}, .weight = 300},
                                    {.name = (char[]){"c"}, .weight = 50},
                                    {.name = (char[]){"d"}, .weight = 0},
                                    {.name = (char[]){"e"}, .weight = 550}};
    struct conf_pool pool = pool_of(members, COUNT_OF(members));
    size_t had[COUNT_OF(members)] = {0};
    char storage[32];

    const size_t half = USERS / 2;

    for (size_t i = 0; i < half; i++)
        had[first_of(&pool, user_name(i, storage), 0) - members]++;
    for (size_t m = 0; m < COUNT_OF(members); m++) {
        double share = (double)had[m] / (double)half;
        double fair = (double)members[m].weight / 1000.0;
        /* Within 2 % of the share, and what chance does to so few users. */
        double slack = fair * 0.02 + (USERS < 1000000 ? 0.005 : 0);
        cr_expect(share >= fair - slack && share <= fair + slack, "%s: %f", members[m].name, share);
    }
    cr_expect_eq(had[3], 0);
}

Test(hash, a_member_that_gets_more_weight_only_gains_users)
{
    struct conf_member before[] = {{.name = (char[]){"a"}, .weight = 100},
                                   {.name = (char[]){"b"}, .weight = 100},
                                   {.name = (char[]){"c"}, .weight = 100}};
    struct conf_member after[COUNT_OF(before)];
    struct conf_pool light = pool_of(before, COUNT_OF(before));
    struct conf_pool heavy = pool_of(after, COUNT_OF(after));
    char storage[32];
    size_t gained = 0;

    memcpy(after, before, sizeof(after));
    after[1].weight = 130;
    for (size_t i = 0; i < USERS / 20; i++) {
        size_t from = (size_t)(first_of(&light, user_name(i, storage), 0) - before);
        size_t to = (size_t)(first_of(&heavy, user_name(i, storage), 0) - after);
        gained += from != to ? 1 : 0;
        cr_assert(from == to || to == 1);
    }
    cr_expect_gt(gained, 0);
}

Test(hash, the_order_of_the_file_is_no_part_of_a_users_order)
{
    struct conf_member forward[] = {{.name = (char[]){"a"}, .weight = 100},
                                    {.name = (char[]){"b"}, .weight = 7},
                                    {.name = (char[]){"c"}, .weight = 0},
                                    {.name = (char[]){"d"}, .weight = 100},
                                    {.name = (char[]){"e"}, .weight = 0}};
    struct conf_member backward[COUNT_OF(forward)];
    struct conf_pool one = pool_of(forward, COUNT_OF(forward));
    struct conf_pool other = pool_of(backward, COUNT_OF(backward));
    struct hash_place x[LIMIT_CANDIDATES], y[LIMIT_CANDIDATES];
    char storage[32];

    for (size_t i = 0; i < COUNT_OF(forward); i++)
        backward[i] = forward[COUNT_OF(forward) - 1 - i];
    for (size_t i = 0; i < 2000; i++) {
        struct slice user = user_name(i, storage);
        cr_assert_eq(hash_order(&one, user, i, NULL, x), COUNT_OF(forward));
        cr_assert_eq(hash_order(&other, user, 0, NULL, y), COUNT_OF(forward));
        for (size_t m = 0; m < COUNT_OF(forward); m++) {
            cr_assert_str_eq(x[m].member->name, y[m].member->name);
            cr_assert(m == 0 || x[m - 1].score <= x[m].score);
            cr_assert_eq(x[m].member->weight == 0, m >= 3);
        }
    }
}

/* The second on a user's list is where he goes when the first is taken out of the table. */
Test(hash, failing_over_and_removing_a_member_lead_to_the_same_place)
{
    struct conf_member all[] = {{.name = (char[]){"a"}, .weight = 100},
                                {.name = (char[]){"b"}, .weight = 40},
                                {.name = (char[]){"c"}, .weight = 100},
                                {.name = (char[]){"d"}, .weight = 250}};
    struct conf_pool pool = pool_of(all, COUNT_OF(all));
    struct hash_place order[LIMIT_CANDIDATES];
    char storage[32];

    for (size_t i = 0; i < 5000; i++) {
        struct conf_member left[COUNT_OF(all)];
        struct slice user = user_name(i, storage);
        size_t count = 0;
        cr_assert_eq(hash_order(&pool, user, 0, NULL, order), COUNT_OF(all));
        for (size_t m = 0; m < COUNT_OF(all); m++)
            if (&all[m] != order[0].member)
                left[count++] = all[m];
        struct conf_pool smaller = pool_of(left, count);
        cr_assert_str_eq(first_of(&smaller, user, 0)->name, order[1].member->name);
    }
}

Test(hash, a_large_pool_offers_its_best_members_only)
{
    struct conf_member members[MEMBERS_MAX];
    char names[MEMBERS_MAX][16], storage[32];
    struct hash_place out[LIMIT_CANDIDATES];

    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "imap-%zu", i);
        members[i] = (struct conf_member){.name = names[i], .weight = 1 + (unsigned)i};
    }
    struct conf_pool pool = pool_of(members, MEMBERS_MAX);
    for (size_t i = 0; i < 500; i++) {
        struct slice user = user_name(i, storage);
        cr_assert_eq(hash_order(&pool, user, 0, NULL, out), LIMIT_CANDIDATES);
        for (size_t m = 0, better = 0; m < MEMBERS_MAX; m++) {
            struct conf_pool alone = pool_of(&members[m], 1);
            struct hash_place single[LIMIT_CANDIDATES];
            cr_assert_eq(hash_order(&alone, user, 0, NULL, single), 1);
            better += single[0].score <= out[LIMIT_CANDIDATES - 1].score ? 1 : 0;
            cr_assert_leq(better, LIMIT_CANDIDATES);
        }
    }
}

Test(hash, first_follows_the_file_and_keeps_the_reserve_for_last)
{
    struct conf_member members[] = {{.name = (char[]){"z"}, .weight = 0},
                                    {.name = (char[]){"y"}, .weight = 1},
                                    {.name = (char[]){"x"}, .weight = 900}};
    struct conf_pool pool = pool_of(members, COUNT_OF(members));
    struct hash_place out[LIMIT_CANDIDATES];

    pool.choose = CONF_CHOOSE_FIRST;
    for (uint64_t turn = 0; turn < 5; turn++) {
        cr_assert_eq(hash_order(&pool, SLICE("u"), turn, NULL, out), 3);
        cr_expect_str_eq(out[0].member->name, "y");
        cr_expect_str_eq(out[1].member->name, "x");
        cr_expect_str_eq(out[2].member->name, "z");
    }
}

Test(hash, turns_are_shared_exactly_by_weight_and_without_long_rows)
{
    static const struct {
        unsigned weights[4];
        unsigned round, row; /* turns in a round, most that a member has in a row */
    } rows[] = {
        {{100, 100, 100, 100}, 4, 1}, {{100, 100, 100, 0}, 3, 1}, {{1, 0, 0, 0}, 1, 1},
        {{100, 50, 0, 0}, 3, 2},      {{100, 101, 0, 0}, 201, 2}, {{1000, 999, 998, 997}, 3994, 2},
        {{0, 0, 7, 7}, 2, 1},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf_member members[4];
        char names[4][2] = {"a", "b", "c", "d"};
        unsigned had[4] = {0}, total = 0, row = 0;
        size_t last = 4;
        for (size_t m = 0; m < 4; m++) {
            members[m] = (struct conf_member){.name = names[m], .weight = rows[i].weights[m]};
            total += rows[i].weights[m];
        }
        struct conf_pool pool = pool_of(members, 4);
        pool.choose = CONF_CHOOSE_ROUND_ROBIN;
        for (uint64_t turn = 0; turn < rows[i].round; turn++) {
            size_t m = (size_t)(first_of(&pool, SLICE("u"), turn + UINT32_MAX) - members);
            had[m]++;
            row = m == last ? row + 1 : 1;
            last = m;
            cr_assert(row <= rows[i].row || rows[i].round == 1, "row %zu turn %u", i,
                      (unsigned)turn);
        }
        for (size_t m = 0; m < 4; m++)
            cr_expect_eq(had[m], rows[i].weights[m] * rows[i].round / total, "row %zu: %zu %u", i,
                         m, had[m]);
    }
}

Test(hash, whoever_is_not_on_turn_follows_in_a_circle)
{
    struct conf_member members[] = {{.name = (char[]){"a"}, .weight = 100},
                                    {.name = (char[]){"b"}, .weight = 0},
                                    {.name = (char[]){"c"}, .weight = 100},
                                    {.name = (char[]){"d"}, .weight = 100}};
    struct conf_pool pool = pool_of(members, COUNT_OF(members));
    struct hash_place out[LIMIT_CANDIDATES];
    static const char *const after[] = {"acdb", "", "cdab", "dacb"};

    pool.choose = CONF_CHOOSE_ROUND_ROBIN;
    for (uint64_t turn = 0; turn < 6; turn++) {
        char found[5] = {0};
        cr_assert_eq(hash_order(&pool, SLICE("u"), turn, NULL, out), 4);
        for (size_t m = 0; m < 4; m++)
            found[m] = out[m].member->name[0];
        cr_expect_str_eq(found, after[out[0].member - members]);
    }
}

Test(hash, a_larger_percentage_only_adds_users)
{
    size_t had[100] = {0};
    char storage[32];

    const size_t tenth = USERS / 10;

    for (size_t i = 0; i < tenth; i++)
        had[hash_percent(SLICE("new"), user_name(i, storage))]++;
    for (size_t p = 0, sum = 0; p < 100; p++) {
        sum += had[p];
        double share = (double)sum / (double)tenth, fair = (double)(p + 1) / 100;
        double slack = USERS < 1000000 ? 0.03 : 0.01;
        cr_expect(share > fair - slack && share < fair + slack, "%zu %%: %f", p + 1, share);
    }
    cr_expect_eq(hash_percent(SLICE("a"), SLICE("u")), hash_percent(SLICE("a"), SLICE("u")));
}

/* Two rules of 50 % with different salts must halve what the other left, and the users of a
 * percentage must be spread over a pool as everybody is. */
Test(hash, percentages_and_members_are_independent)
{
    struct conf_member members[] = {{.name = (char[]){"new"}, .weight = 100},
                                    {.name = (char[]){"old"}, .weight = 100}};
    struct conf_pool pool = pool_of(members, COUNT_OF(members));
    size_t both = 0, here = 0, count = USERS / 10;
    double slack = USERS < 1000000 ? 0.03 : 0.01;
    char storage[32];

    for (size_t i = 0; i < count; i++) {
        struct slice user = user_name(i, storage);
        bool half = hash_percent(SLICE("new"), user) < 50;
        both += half && hash_percent(SLICE("old"), user) < 50 ? 1 : 0;
        here += half && first_of(&pool, user, 0) == &members[0] ? 1 : 0;
    }
    cr_expect((double)both / (double)count < 0.25 + slack, "%zu", both);
    cr_expect((double)both / (double)count > 0.25 - slack, "%zu", both);
    cr_expect((double)here / (double)count < 0.25 + slack, "%zu", here);
    cr_expect((double)here / (double)count > 0.25 - slack, "%zu", here);
}
