/*
 * Writes the JSON Schema of a document (json-schema.org, draft 2020-12) from the tables that read
 * it. Owns the JSON tree while it is built.
 */
#include <stdlib.h>

#include "conf/key.h"

static void add_fallback(const struct key *key, json_t *out)
{
    json_t *value = json_loads(key->fallback, JSON_DECODE_ANY, NULL);
    bool empty = json_is_object(value) && json_object_size(value) == 0;

    ENSURE(value != NULL);
    if (!empty)
        json_object_set(out, "default", value);
    json_decref(value);
}

json_t *schema_of_value(const struct key *key)
{
    json_t *out = json_object();

    if (key->help != NULL)
        json_object_set_new(out, "description", json_string(key->help));
    key->kind->schema(key, out);
    if (key->fallback != NULL)
        add_fallback(key, out);
    return out;
}

static json_t *one_of(const char *const *names)
{
    json_t *out = json_array();
    for (; *names != NULL; names++)
        json_array_append_new(out, json_pack("{s:[s]}", "required", *names));
    return out;
}

json_t *schema_of_object(const struct shape *shape)
{
    json_t *out = json_object(), *properties = json_object();
    json_t *required = json_array(), *needs = json_object();

    for (size_t i = 0; i < shape->count; i++) {
        const struct key *key = &shape->keys[i];
        json_object_set_new(properties, key->name, schema_of_value(key));
        if (key->required)
            json_array_append_new(required, json_string(key->name));
        if (key->needs != NULL)
            json_object_set_new(needs, key->name, json_pack("[s]", key->needs));
    }
    json_object_set_new(out, "type", json_string("object"));
    json_object_set_new(out, "properties", properties);
    json_object_set_new(out, "additionalProperties", json_false());
    if (json_array_size(required) > 0)
        json_object_set(out, "required", required);
    if (json_object_size(needs) > 0)
        json_object_set(out, "dependentRequired", needs);
    if (shape->one_of != NULL)
        json_object_set_new(out, "oneOf", one_of(shape->one_of));
    json_decref(required);
    json_decref(needs);
    return out;
}

char *conf_schema(enum conf_document document)
{
    static const struct {
        const char *title;
        const struct shape *shape;
    } documents[] = {
        [CONF_WAYPOST_JSON] = {"Waypost: main configuration", &waypost_shape},
        [CONF_ROUTES_JSON] = {"Waypost: routing table", &routes_shape},
    };
    json_t *out = json_pack("{s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema",
                            "title", documents[document].title);
    json_t *object = schema_of_object(documents[document].shape);

    json_object_update(out, object);
    json_decref(object);
    char *text = json_dumps(out, JSON_INDENT(2));
    json_decref(out);
    ENSURE(text != NULL);
    return text;
}
