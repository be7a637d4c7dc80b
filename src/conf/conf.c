/*
 * Lifetime of the configuration tree: references are counted, the last one frees everything by
 * walking the same tables that filled it.
 */
#include "waypost/conf/conf.h"

#include <stdlib.h>

#include "conf/key.h"

struct conf *conf_hold(struct conf *conf)
{
    unsigned before = atomic_fetch_add_explicit(&conf->references, 1, memory_order_relaxed);
    REQUIRE(before > 0);
    return conf;
}

static void free_routes(struct conf_routes *routes)
{
    if (routes == NULL)
        return;
    release_object(&routes_shape, routes);
    free(routes->targets);
    free(routes->singles);
    free(routes->path);
    free(routes);
}

void conf_release(struct conf **conf)
{
    struct conf *c = *conf;

    *conf = NULL;
    if (c == NULL || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) != 1)
        return;
    free_routes(c->routes);
    release_object(&waypost_shape, c);
    free(c->path);
    free(c);
}
