/*
 * Kinds of values that are conditions of rules: patterns, names of listeners, names of servers.
 * Fields own a copy of their text, or the compiled pattern.
 */
#include "conf/key.h"
#include "conf/memory.h"
#include "waypost/conf/pattern.h"
#include "waypost/conf/suggest.h"
#include "waypost/conf/value.h"

static struct slice text_of(const json_t *value)
{
    return slice_of(json_string_value(value), json_string_length(value));
}

static void release_text(const struct key *key, void *base)
{
    free(load_pointer(key, base));
}

static void schema_string(const struct key *key, json_t *out)
{
    UNUSED(key);
    json_object_set_new(out, "type", json_string("string"));
    json_object_set_new(out, "minLength", json_integer(1));
}

/* ----- patterns ----------------------------------------------------------------------------- */

static void describe_pattern(const struct key *key, struct str *out)
{
    str_addf(out, "a pattern of 1 to %llu bytes", (unsigned long long)key->max);
}

static bool read_pattern(struct reader *r, const struct place *at, const struct key *key,
                         const json_t *value, void *base)
{
    char storage[LIMIT_LOG_TEXT];
    struct str problem = STR_ON(storage);
    struct slice text = text_of(value);

    if (text.len == 0 || text.len > key->max)
        return false;
    store_pointer(key, base, pattern_new(text, &problem));
    if (problem.len > 0)
        fault(r, at, "%s", storage);
    return true;
}

static void release_pattern(const struct key *key, void *base)
{
    struct conf_pattern *pattern = load_pointer(key, base);
    pattern_free(&pattern);
}

const struct kind kind_pattern = {TYPE(STRING), describe_pattern, read_pattern, release_pattern,
                                  schema_string};

/* ----- listeners ---------------------------------------------------------------------------- */

static void describe_listener(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("the name of a listener in waypost.json"));
}

static void check_listener(struct reader *r, const struct place *at, struct slice name)
{
    char storage[LIMIT_LOG_TEXT];
    struct str text = STR_ON(storage);
    struct suggest suggest = suggest_for(name);

    for (size_t i = 0; i < r->conf->listener_count; i++) {
        const char *known = r->conf->listeners[i].name;
        if (known == NULL)
            continue;
        if (slice_eq(slice_str(known), name))
            return;
        suggest_offer(&suggest, known);
    }
    str_addf(&text, "there is no listener \"%.*s\" in waypost.json",
             SLICE_ARG(slice_take(name, LIMIT_NAME)));
    suggest_add(&suggest, &text);
    fault(r, at, "%s", storage);
}

static bool read_listener(struct reader *r, const struct place *at, const struct key *key,
                          const json_t *value, void *base)
{
    struct slice name = text_of(value);

    if (name.len == 0)
        return false;
    check_listener(r, at, name);
    store_pointer(key, base, memory_text(name));
    return true;
}

const struct kind kind_listener_name = {TYPE(STRING), describe_listener, read_listener,
                                        release_text, schema_string};

/* ----- server names ------------------------------------------------------------------------- */

static void describe_server_name(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("a host name such as \"imap.example.net\", or \"*.example.net\" for its "
                       "subdomains"));
}

static bool read_server_name(struct reader *r, const struct place *at, const struct key *key,
                             const json_t *value, void *base)
{
    struct slice text = text_of(value);
    UNUSED(r);
    UNUSED(at);
    if (!value_is_host_name(slice_skip(text, slice_starts(text, SLICE("*.")) ? 2 : 0)))
        return false;
    char *name = memory_text(text);
    for (char *c = name; *c != '\0'; c++)
        *c = ascii_lower(*c);
    store_pointer(key, base, name);
    return true;
}

const struct kind kind_server_name = {TYPE(STRING), describe_server_name, read_server_name,
                                      release_text, schema_string};
