/*
 * The order of a pool by the sessions that its members have.
 */
#include "waypost/route/hash.h"

#include <criterion/criterion.h>
#include <string.h>

#include "waypost/base/check.h"

static struct conf_pool least_of(struct conf_member *members, size_t count)
{
    return (struct conf_pool){
        .members = members, .member_count = count, .choose = CONF_CHOOSE_LEAST_SESSIONS};
}

static uint64_t sessions_in_name(void *ctx, const struct conf_backend *backend)
{
    const uint64_t *sessions = ctx;

    return sessions[backend->index];
}

Test(load, the_fewest_sessions_for_the_weight_come_first)
{
    struct conf_backend backends[] = {{.index = 0}, {.index = 1}, {.index = 2}, {.index = 3}};
    struct conf_member members[] = {
        {.name = (char[]){"a"}, .weight = 100, .backend = &backends[0]},
        {.name = (char[]){"b"}, .weight = 200, .backend = &backends[1]},
        {.name = (char[]){"c"}, .weight = 100, .backend = &backends[2]},
        {.name = (char[]){"d"}, .weight = 0, .backend = &backends[3]},
    };
    static const struct {
        uint64_t sessions[4];
        const char *order;
    } rows[] = {
        {{10, 10, 10, 0}, "bacd"}, {{10, 30, 11, 0}, "acbd"},    {{0, 1, 0, 0}, "abcd"},
        {{7, 0, 3, 0}, "bcad"},    {{0, 1000000, 0, 0}, "acbd"},
    };
    struct conf_pool pool = least_of(members, COUNT_OF(members));
    struct hash_place out[LIMIT_CANDIDATES];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t sessions[4];
        char found[5] = {0};
        memcpy(sessions, rows[i].sessions, sizeof(sessions));
        struct hash_load load = {sessions_in_name, sessions};
        cr_assert_eq(hash_order(&pool, SLICE("u"), 0, &load, out), 4);
        for (size_t m = 0; m < 4; m++)
            found[m] = out[m].member->name[0];
        cr_expect_str_eq(found, rows[i].order, "row %zu: %s", i, found);
    }
}

Test(load, a_storm_of_logins_is_spread_by_weight)
{
    struct conf_backend backends[] = {{.index = 0}, {.index = 1}, {.index = 2}};
    struct conf_member members[] = {
        {.name = (char[]){"a"}, .weight = 100, .backend = &backends[0]},
        {.name = (char[]){"b"}, .weight = 300, .backend = &backends[1]},
        {.name = (char[]){"c"}, .weight = 100, .backend = &backends[2]},
    };
    struct conf_pool pool = least_of(members, COUNT_OF(members));
    uint64_t sessions[3] = {0};
    struct hash_load load = {sessions_in_name, sessions};
    struct hash_place out[LIMIT_CANDIDATES];

    for (uint64_t login = 0; login < 1000; login++) {
        cr_assert_eq(hash_order(&pool, SLICE("u"), login, &load, out), 3);
        sessions[out[0].member->backend->index]++;
    }
    cr_expect_eq(sessions[0], 200);
    cr_expect_eq(sessions[1], 600);
    cr_expect_eq(sessions[2], 200);
}

Test(load, empty_members_take_turns)
{
    struct conf_backend backends[] = {{.index = 0}, {.index = 1}};
    struct conf_member members[] = {
        {.name = (char[]){"a"}, .weight = 100, .backend = &backends[0]},
        {.name = (char[]){"b"}, .weight = 100, .backend = &backends[1]},
    };
    struct conf_pool pool = least_of(members, COUNT_OF(members));
    struct hash_place out[LIMIT_CANDIDATES];
    unsigned first = 0;

    for (uint64_t turn = 0; turn < 100; turn++) {
        cr_assert_eq(hash_order(&pool, SLICE("u"), turn, NULL, out), 2);
        first += out[0].member == &members[0] ? 1 : 0;
    }
    cr_expect_eq(first, 50);
}
