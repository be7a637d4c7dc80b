/*
 * A table of users on top of strmap: the value is the target's index, the extra text the template
 * of the login name. Owns the map and a copy of the source's path; borrows the targets.
 */
#include "conf/usermap.h"

#include "conf/memory.h"

struct conf_usermap {
    struct strmap map;
    const struct conf_target *targets;
    bool *named; /* owned: for each target whether a user goes there */
    size_t named_count;
    char *source;
};

struct conf_usermap *usermap_new(const struct conf_target *targets, uint64_t seed,
                                 const char *source)
{
    struct conf_usermap *map = memory_new(1, sizeof(*map));

    strmap_init(&map->map, seed);
    map->targets = targets;
    map->source = source == NULL ? NULL : memory_text(slice_str(source));
    return map;
}

void usermap_free(struct conf_usermap **map)
{
    if (*map == NULL)
        return;
    strmap_fini(&(*map)->map);
    free((*map)->named);
    free((*map)->source);
    free(*map);
    *map = NULL;
}

static void note_target(struct conf_usermap *map, size_t index)
{
    while (index >= map->named_count) {
        map->named = memory_grow(map->named, map->named_count + 1, sizeof(*map->named));
        map->named[map->named_count++] = false;
    }
    map->named[index] = true;
}

enum strmap_result usermap_add(struct conf_usermap *map, struct slice user, struct slice login_as,
                               const struct conf_target *target)
{
    size_t index = (size_t)(target - map->targets);
    enum strmap_result result = strmap_add(&map->map, user, login_as, (uint32_t)index);

    if (result == STRMAP_ADDED)
        note_target(map, index);
    return result;
}

bool usermap_names(const struct conf_usermap *map, const struct conf_target *target)
{
    size_t index = (size_t)(target - map->targets);

    return index < map->named_count && map->named[index];
}

void usermap_trim(struct conf_usermap *map)
{
    strmap_trim(&map->map);
}

bool usermap_find(const struct conf_usermap *map, struct slice user, struct usermap_hit *out)
{
    struct strmap_hit hit;

    if (!strmap_find(&map->map, user, &hit))
        return false;
    *out = (struct usermap_hit){&map->targets[hit.value], hit.extra};
    return true;
}

size_t usermap_count(const struct conf_usermap *map)
{
    return map->map.count;
}

const char *usermap_source(const struct conf_usermap *map)
{
    return map->source;
}
