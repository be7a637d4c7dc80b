/*
 * Kinds of values that rules are made of: targets, login templates, tables of users. A target is
 * known by name; the list of targets is built when the first rule asks, after the backends have
 * been read.
 */
#include "conf/key.h"

#include "conf/memory.h"
#include "conf/usermap.h"
#include "waypost/conf/suggest.h"
#include "waypost/conf/username.h"

static struct slice text_of(const json_t *value)
{
    return slice_of(json_string_value(value), json_string_length(value));
}

/* ----- targets ------------------------------------------------------------------------------ */

/* Room for all, filled with the backends; check_pool adds each pool behind them. */
static void index_targets(struct reader *r)
{
    struct conf_routes *routes = r->routes;

    routes->target_count = routes->backend_count;
    routes->targets =
        memory_new(routes->backend_count + routes->pool_count, sizeof(*routes->targets));
    routes->singles = memory_new(routes->backend_count, sizeof(*routes->singles));
    for (size_t i = 0; i < routes->backend_count; i++) {
        const struct conf_backend *backend = &routes->backends[i];
        routes->singles[i] = backend;
        routes->targets[i] = (struct conf_target){&routes->singles[i], 1, backend->name, NULL};
        /* A name that is too long has been reported already and will simply not be found. */
        enum strmap_result added =
            strmap_add(&r->target_names, slice_str(backend->name), SLICE(""), (uint32_t)i);
        UNUSED(added);
    }
}

const struct conf_target *target_find(struct reader *r, struct slice name)
{
    struct strmap_hit hit;

    if (r->routes->targets == NULL)
        index_targets(r);
    return strmap_find(&r->target_names, name, &hit) ? &r->routes->targets[hit.value] : NULL;
}

void target_missing(struct reader *r, struct slice name, struct str *out)
{
    struct suggest suggest = suggest_for(name);
    const struct conf_target *targets = r->routes->targets;

    str_addf(out, "there is no backend or pool \"%.*s\"", SLICE_ARG(slice_take(name, LIMIT_NAME)));
    for (size_t i = 0; targets != NULL && i < r->routes->target_count; i++)
        suggest_offer(&suggest, targets[i].name);
    suggest_add(&suggest, out);
}

static void describe_target(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("the name of a backend or pool"));
}

static bool read_target(struct reader *r, const struct place *at, const struct key *key,
                        const json_t *value, void *base)
{
    char storage[LIMIT_LOG_TEXT];
    struct str text = STR_ON(storage);
    const struct conf_target *target = target_find(r, text_of(value));

    if (target == NULL) {
        /* What will not be shown is not worth a search for the nearest name. */
        if (r->faults < LIMIT_CONF_ERRORS)
            target_missing(r, text_of(value), &text);
        fault(r, at, "%s", storage);
        return true;
    }
    store(key, base, target, sizeof(*target));
    return true;
}

static void schema_string(const struct key *key, json_t *out)
{
    UNUSED(key);
    json_object_set_new(out, "type", json_string("string"));
    json_object_set_new(out, "minLength", json_integer(1));
}

const struct kind kind_target = {TYPE(STRING), describe_target, read_target, NULL, schema_string};

/* ----- login templates ---------------------------------------------------------------------- */

static void describe_login_as(const struct key *key, struct str *out)
{
    str_addf(out,
             "a login name of 1 to %llu bytes, in which {user}, {local} and {domain} are replaced "
             "and other braces do not occur",
             (unsigned long long)key->max);
}

static bool read_login_as(struct reader *r, const struct place *at, const struct key *key,
                          const json_t *value, void *base)
{
    struct slice text = text_of(value);
    UNUSED(r);
    UNUSED(at);
    if (text.len > key->max || !username_template_legal(text, NULL))
        return false;
    store_pointer(key, base, memory_text(text));
    return true;
}

static void describe_rewrite(const struct key *key, struct str *out)
{
    str_addf(out,
             "a login name of 1 to %llu bytes, in which {user}, {local}, {domain} and groups of "
             "the pattern, such as {1}, are replaced and other braces do not occur",
             (unsigned long long)key->max);
}

/* The same for a whole rule, whose pattern has been read. */
static bool read_rewrite(struct reader *r, const struct place *at, const struct key *key,
                         const json_t *value, void *base)
{
    const struct conf_rule *rule = base;
    struct slice text = text_of(value);
    UNUSED(r);
    UNUSED(at);
    if (text.len > key->max || !username_template_legal(text, rule->conditions.user))
        return false;
    store_pointer(key, base, memory_text(text));
    return true;
}

static void release_text(const struct key *key, void *base)
{
    free(load_pointer(key, base));
}

const struct kind kind_login_as = {TYPE(STRING), describe_login_as, read_login_as, release_text,
                                   schema_string};
const struct kind kind_rewrite = {TYPE(STRING), describe_rewrite, read_rewrite, release_text,
                                  schema_string};

/* ----- destinations: TARGET or { to, login_as } --------------------------------------------- */

static void describe_destination(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out,
            SLICE("the name of a backend or pool, or { \"to\": NAME, \"login_as\": TEMPLATE }"));
}

static bool read_destination(struct reader *r, const struct place *at, const struct key *key,
                             const json_t *value, void *base)
{
    if (json_is_object(value))
        read_object(r, at, key->shape, value, base);
    else
        read_value(r, at, &key->shape->keys[0], value, base);
    return true;
}

static void release_destination(const struct key *key, void *base)
{
    release_object(key->shape, base);
}

static void schema_destination(const struct key *key, json_t *out)
{
    json_t *either = json_array();

    json_array_append_new(either, schema_of_value(&key->shape->keys[0]));
    json_array_append_new(either, schema_of_object(key->shape));
    json_object_set_new(out, "anyOf", either);
}

const struct kind kind_destination = {TYPE(STRING) | TYPE(OBJECT), describe_destination,
                                      read_destination, release_destination, schema_destination};

/* ----- users -------------------------------------------------------------------------------- */

/* The rule's table; "users" and "users_file" in one rule have been refused but share it. */
static struct conf_usermap *usermap_of(struct reader *r, const struct key *key, void *base,
                                       const char *source)
{
    struct conf_usermap *map = load_pointer(key, base);

    if (r->routes->targets == NULL)
        index_targets(r);
    if (map == NULL)
        map = usermap_new(r->routes->targets, r->source->seed, source);
    store_pointer(key, base, map);
    return map;
}

static void describe_users(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("an object from user names to the names of backends or pools"));
}

static void read_user(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, struct conf_usermap *map)
{
    char storage[LIMIT_USER + 1];
    struct str user = STR_ON(storage);
    struct conf_domain found = {0};

    read_value(r, at, key->element, value, &found);
    if (!username_normalize(&r->routes->normalize, slice_str(at->name), &user)) {
        fault(r, at, "expected a user name of 1 to %u bytes", LIMIT_USER);
    } else if (found.target.name != NULL) {
        const struct conf_target *target = target_find(r, slice_str(found.target.name));
        enum strmap_result result =
            usermap_add(map, str_slice(&user), slice_str(found.login_as), target);
        if (result == STRMAP_TAKEN)
            fault(r, at, "the same user stands in this rule twice, as \"%s\" after normalization",
                  storage);
        else if (result == STRMAP_FULL)
            fault(r, at, "too many users for the memory of this machine");
    }
    key->element->kind->release(key->element, &found);
}

static bool read_users(struct reader *r, const struct place *at, const struct key *key,
                       const json_t *value, void *base)
{
    struct conf_usermap *map = usermap_of(r, key, base, NULL);
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        struct place here = {.up = at, .name = name};
        read_user(r, &here, key, member, map);
    }
    usermap_trim(map);
    return true;
}

static void release_users(const struct key *key, void *base)
{
    struct conf_usermap *map = load_pointer(key, base);
    usermap_free(&map);
}

static void schema_users(const struct key *key, json_t *out)
{
    json_object_set_new(out, "type", json_string("object"));
    json_object_set_new(out, "additionalProperties", schema_of_value(key->element));
}

const struct kind kind_users = {TYPE(OBJECT), describe_users, read_users, release_users,
                                schema_users};

static void describe_users_file(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("the path of a file with lines of user TAB backend or pool [TAB login_as]"));
}

static bool read_users_file(struct reader *r, const struct place *at, const struct key *key,
                            const json_t *value, void *base)
{
    struct slice text = text_of(value);

    if (text.len == 0)
        return false;
    char *path = reader_path(r, text);
    usersfile_read(r, at, path, usermap_of(r, key, base, path));
    free(path);
    return true;
}

/* The field belongs to "users", whose kind releases it. */
const struct kind kind_users_file = {TYPE(STRING), describe_users_file, read_users_file, NULL,
                                     schema_string};
