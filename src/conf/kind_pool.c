/*
 * Reads pools. A member is a backend, found by name; a pool whose members have been read becomes
 * one more target for the rules. The pool owns its members and the list of their backends.
 */
#include "conf/key.h"
#include "conf/memory.h"
#include "conf/usermap.h"
#include "waypost/conf/suggest.h"

/* ----- one member --------------------------------------------------------------------------- */

static void describe_member(const struct key *key, struct str *out)
{
    str_addf(out, "a weight from %llu to %llu", (unsigned long long)key->min,
             (unsigned long long)key->max);
}

static void no_such_backend(struct reader *r, const struct place *at)
{
    char storage[LIMIT_LOG_TEXT];
    struct str text = STR_ON(storage);
    struct slice name = slice_str(at->name);
    struct suggest suggest = suggest_for(name);

    /* What will not be shown is not worth a search for the nearest name. */
    for (size_t i = 0; r->faults < LIMIT_CONF_ERRORS && i < r->routes->backend_count; i++)
        suggest_offer(&suggest, r->routes->backends[i].name);
    str_addf(&text, "there is no backend \"%.*s\"", SLICE_ARG(slice_take(name, LIMIT_NAME)));
    suggest_add(&suggest, &text);
    fault(r, at, "%s", storage);
}

static bool read_member(struct reader *r, const struct place *at, const struct key *key,
                        const json_t *value, void *base)
{
    struct conf_member *member = base;
    const struct conf_target *target = target_find(r, slice_str(at->name));
    json_int_t weight = json_integer_value(value);

    if (target == NULL || target->pool != NULL)
        no_such_backend(r, at);
    else
        member->backend = target->backends[0];
    if (weight < 0 || (uint64_t)weight > key->max)
        return false;
    member->weight = (unsigned)weight;
    return true;
}

static void schema_member(const struct key *key, json_t *out)
{
    json_object_set_new(out, "type", json_string("integer"));
    json_object_set_new(out, "minimum", json_integer((json_int_t)key->min));
    json_object_set_new(out, "maximum", json_integer((json_int_t)key->max));
}

const struct kind kind_member = {TYPE(INTEGER), describe_member, read_member, NULL, schema_member};

/* ----- all members -------------------------------------------------------------------------- */

static void describe_members(const struct key *key, struct str *out)
{
    str_addf(out, "an object, not empty, from names of backends to weights, at most %llu of them",
             (unsigned long long)key->max);
}

static bool read_members(struct reader *r, const struct place *at, const struct key *key,
                         const json_t *value, void *base)
{
    struct conf_pool *pool = base;
    size_t faults = r->faults;
    unsigned total = 0;

    if (!kind_map.read(r, at, key, value, base))
        return false;
    pool->backends = memory_new(pool->member_count, sizeof(const struct conf_backend *));
    for (size_t i = 0; i < pool->member_count; i++) {
        pool->backends[i] = pool->members[i].backend;
        total += pool->members[i].weight;
    }
    if (total == 0 && r->faults == faults)
        fault(r, at, "at least one member needs a weight above 0");
    return true;
}

static void release_members(const struct key *key, void *base)
{
    struct conf_pool *pool = base;

    kind_map.release(key, base);
    free(pool->backends);
}

static void schema_members(const struct key *key, json_t *out)
{
    kind_map.schema(key, out);
}

const struct kind kind_members = {TYPE(OBJECT), describe_members, read_members, release_members,
                                  schema_members};

/* ----- the pool ----------------------------------------------------------------------------- */

void check_pool(struct reader *r, const struct place *at, const json_t *object, void *base)
{
    struct conf_pool *pool = base;
    struct conf_routes *routes = r->routes;
    struct place cluster = {.up = at, .name = "cluster"};
    struct slice name = slice_str(pool->name);
    const struct conf_target *other = target_find(r, name);
    size_t index = routes->target_count;

    UNUSED(object);
    if (pool->cluster != NULL && !pool->one_backend_per_user)
        fault(r, &cluster, "has no meaning without \"one_backend_per_user\": true");
    if (pool->cluster == NULL && pool->one_backend_per_user)
        pool->cluster = memory_text(name);
    if (other != NULL) {
        fault(r, at, "there is a backend of this name already");
        return;
    }
    routes->targets[index] =
        (struct conf_target){pool->backends, pool->member_count, pool->name, pool};
    /* A name that is too long has been reported already and will simply not be found. */
    if (strmap_add(&r->target_names, name, SLICE(""), (uint32_t)index) == STRMAP_ADDED)
        routes->target_count++;
}
