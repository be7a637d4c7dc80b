/*
 * Kinds of values that hold others: objects, lists, and maps from names. A list or map owns one
 * array; its count is stored before its elements are read, so a half-read tree can be released.
 */
#include "conf/key.h"
#include "conf/memory.h"

static json_t *json_number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* ----- objects ------------------------------------------------------------------------------ */

static void describe_object(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("an object"));
}

static bool read_into_object(struct reader *r, const struct place *at, const struct key *key,
                             const json_t *value, void *base)
{
    read_object(r, at, key->shape, value, (char *)base + key->offset);
    return true;
}

static void release_members(const struct key *key, void *base)
{
    release_object(key->shape, (char *)base + key->offset);
}

static void schema_object(const struct key *key, json_t *out)
{
    json_t *object = schema_of_object(key->shape);
    json_object_update(out, object);
    json_decref(object);
}

const struct kind kind_object = {TYPE(OBJECT), describe_object, read_into_object, release_members,
                                 schema_object};

/* ----- lists -------------------------------------------------------------------------------- */

static size_t *count_of(const struct key *key, void *base)
{
    return (size_t *)(void *)((char *)base + key->also);
}

static char *new_elements(const struct key *key, size_t count, void *base)
{
    char *elements = memory_new(count, key->element->size);
    store_pointer(key, base, elements);
    *count_of(key, base) = count;
    return elements;
}

static void describe_list(const struct key *key, struct str *out)
{
    str_addf(out, "a list of %llu to %llu elements", (unsigned long long)key->min,
             (unsigned long long)key->max);
}

static bool read_list(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    size_t count = json_array_size(value);

    if (count < key->min || count > key->max)
        return false;
    char *elements = new_elements(key, count, base);
    for (size_t i = 0; i < count; i++) {
        struct place here = {.up = at, .index = i};
        read_value(r, &here, key->element, json_array_get(value, i),
                   elements + i * key->element->size);
    }
    return true;
}

static void release_list(const struct key *key, void *base)
{
    char *elements = load_pointer(key, base);

    for (size_t i = 0; key->element->kind->release != NULL && i < *count_of(key, base); i++)
        key->element->kind->release(key->element, elements + i * key->element->size);
    free(elements);
}

static void schema_list(const struct key *key, json_t *out)
{
    json_object_set_new(out, "type", json_string("array"));
    json_object_set_new(out, "items", schema_of_value(key->element));
    json_object_set_new(out, "minItems", json_number(key->min));
    json_object_set_new(out, "maxItems", json_number(key->max));
}

const struct kind kind_list = {TYPE(ARRAY), describe_list, read_list, release_list, schema_list};

/* ----- maps: the element's `max` bounds the length of a name
 * --------------------------------------------------------------------------------- */

static void describe_map(const struct key *key, struct str *out)
{
    str_addf(out, "an object with %llu to %llu named members", (unsigned long long)key->min,
             (unsigned long long)key->max);
}

static bool read_map(struct reader *r, const struct place *at, const struct key *key,
                     const json_t *value, void *base)
{
    size_t count = json_object_size(value);
    const char *name;
    json_t *member;

    if (count < key->min || count > key->max)
        return false;
    char *element = new_elements(key, count, base);
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        struct place here = {.up = at, .name = name};
        char *copy = memory_text(slice_str(name));
        memcpy(element, &copy, sizeof(copy));
        if (*name == '\0' || strlen(name) > key->element->max)
            fault(r, &here, "expected a name of 1 to %llu bytes",
                  (unsigned long long)key->element->max);
        read_value(r, &here, key->element, member, element);
        element += key->element->size;
    }
    return true;
}

static void release_map(const struct key *key, void *base)
{
    char *elements = load_pointer(key, base);
    char *name;

    for (size_t i = 0; i < *count_of(key, base); i++) {
        memcpy(&name, elements + i * key->element->size, sizeof(name));
        free(name);
    }
    release_list(key, base);
}

static void schema_map(const struct key *key, json_t *out)
{
    json_object_set_new(out, "type", json_string("object"));
    json_object_set_new(
        out, "propertyNames",
        json_pack("{s:i, s:i}", "minLength", 1, "maxLength", (int)key->element->max));
    json_object_set_new(out, "additionalProperties", schema_of_value(key->element));
    json_object_set_new(out, "minProperties", json_number(key->min));
}

const struct kind kind_map = {TYPE(OBJECT), describe_map, read_map, release_map, schema_map};
