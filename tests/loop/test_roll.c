/*
 * Very many backends.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/fleet.h"

Test(roll, thousands)
{
    enum { MANY = 20000 };
    char *text = malloc(MANY * 64);
    struct conf_backend *backends = calloc(MANY, sizeof(*backends));
    struct conf_routes routes = {.backends = backends, .backend_count = MANY};
    struct conf many = {.routes = &routes};
    struct fleet_backend **found, **again;
    struct fleet fleet;

    for (size_t i = 0; i < MANY; i++) {
        backends[i].name = text + i * 64;
        backends[i].host = backends[i].name;
        snprintf(backends[i].name, 64, "backend-%zu", (i * 7919) % MANY);
        backends[i].probe.fall = backends[i].probe.rise = 1;
    }
    cr_assert(fleet_init(&fleet, NULL, NULL, NULL, NULL));
    found = fleet_open(&fleet, &many);
    cr_assert_not_null(found);
    for (size_t i = 0; i < MANY; i++)
        cr_assert_eq(fleet_find(&fleet, backends[i].name), found[i]);
    again = fleet_open(&fleet, &many);
    cr_assert_eq(memcmp(again, found, MANY * sizeof(struct fleet_backend *)), 0);
    cr_expect_eq(fleet.count, MANY);
    free(again);
    free(found);
    fleet_fini(&fleet);
    free(backends);
    free(text);
}
