/*
 * Reads one object with its table: unknown keys, missing keys, defaults, types; the kinds do the
 * rest. Owns nothing but the text of a finding while it is made.
 */
#include <stdarg.h>
#include <stdio.h>

#include "conf/key.h"
#include "conf/memory.h"
#include "conf/pointer.h"
#include "waypost/base/limits.h"
#include "waypost/conf/suggest.h"

#define FOUND_MAX 48u /* bytes of a wrong value that are repeated in a finding */

static void add_pointer(const struct place *at, struct str *out)
{
    if (at == NULL || at->up == NULL)
        return;
    add_pointer(at->up, out);
    if (at->name != NULL)
        pointer_token(out, slice_str(at->name));
    else
        pointer_index(out, at->index);
}

unsigned place_line(const struct reader *r, const struct place *at)
{
    char storage[LIMIT_POINTER];
    struct str pointer = STR_ON(storage);

    add_pointer(at, &pointer);
    return positions_line(&r->lines, str_slice(&pointer));
}

void fault(struct reader *r, const struct place *at, const char *format, ...)
{
    char storage[LIMIT_POINTER], *text = NULL;
    struct str pointer = STR_ON(storage);
    va_list args;

    if (++r->faults > LIMIT_CONF_ERRORS)
        return;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    ENSURE(len >= 0);
    add_pointer(at, &pointer);
    conf_errors_add(r->errors, r->file, positions_line(&r->lines, str_slice(&pointer)), storage,
                    "%s", text);
    free(text);
}

char *reader_path(const struct reader *r, struct slice path)
{
    const char *slash = strrchr(r->file, '/');
    size_t dir =
        slash == NULL || slice_starts(path, SLICE("/")) ? 0 : (size_t)(slash + 1 - r->file);
    char *joined = memory_new(dir + path.len + 1, 1);

    memcpy(joined, r->file, dir);
    memcpy(joined + dir, path.ptr, path.len);
    return joined;
}

void reader_note(const struct reader *r, const char *path)
{
    if (r->source->files != NULL)
        conf_files_add(r->source->files, path);
}

const char *reader_load(const struct reader *r, const char *path, size_t max, char **text,
                        size_t *len)
{
    reader_note(r, path);
    return r->source->read(r->source->ctx, path, max, text, len);
}

static void unknown_key(struct reader *r, const struct place *at, const struct shape *shape)
{
    char storage[LIMIT_NAME + 32];
    struct str hint = STR_ON(storage);
    struct suggest suggest = suggest_for(slice_str(at->name));

    for (size_t i = 0; i < shape->count; i++)
        suggest_offer(&suggest, shape->keys[i].name);
    suggest_add(&suggest, &hint);
    fault(r, at, "unknown key%s", storage);
}

static bool is_known(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (strcmp(shape->keys[i].name, name) == 0)
            return true;
    }
    return false;
}

static void read_default(struct reader *r, const struct place *at, const struct key *key,
                         void *base)
{
    json_t *value = json_loads(key->fallback, JSON_DECODE_ANY, NULL);
    ENSURE(value != NULL);
    read_value(r, at, key, value, base);
    json_decref(value);
}

static void read_member(struct reader *r, const struct place *object_at, const struct key *key,
                        const json_t *object, void *base)
{
    struct place at = {.up = object_at, .name = key->name};
    const json_t *value = json_object_get(object, key->name);

    if (value != NULL && key->needs != NULL && json_object_get(object, key->needs) == NULL)
        fault(r, &at, "has a meaning only beside \"%s\"", key->needs);
    if (value != NULL)
        read_value(r, &at, key, value, base);
    else if (key->required)
        fault(r, object_at, "\"%s\" is missing: %s", key->name, key->help);
    else if (key->fallback != NULL)
        read_default(r, &at, key, base);
}

static void check_one_of(struct reader *r, const struct place *at, const struct shape *shape,
                         const json_t *object)
{
    char storage[LIMIT_LOG_TEXT];
    struct str names = STR_ON(storage);
    unsigned present = 0;

    for (const char *const *name = shape->one_of; *name != NULL; name++) {
        present += json_object_get(object, *name) != NULL ? 1 : 0;
        str_addf(&names, "%s\"%s\"", name == shape->one_of ? "" : ", ", *name);
    }
    if (present != 1)
        fault(r, at, "expected exactly one of %s, found %u of them", storage, present);
}

void read_object(struct reader *r, const struct place *at, const struct shape *shape,
                 const json_t *object, void *base)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        struct place unknown = {.up = at, .name = name};
        if (!is_known(shape, name))
            unknown_key(r, &unknown, shape);
    }
    for (size_t i = 0; i < shape->count; i++)
        read_member(r, at, &shape->keys[i], object, base);
    if (shape->one_of != NULL)
        check_one_of(r, at, shape, object);
    if (shape->check != NULL)
        shape->check(r, at, object, base);
}

static void add_found(const json_t *value, struct str *out)
{
    static const char *const containers[] = {[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list"};
    char storage[FOUND_MAX];

    if (json_is_object(value) || json_is_array(value)) {
        str_addf(out, "%s", containers[json_typeof(value)]);
        return;
    }
    size_t len = json_dumpb(value, storage, sizeof(storage), JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    bool cut = len > sizeof(storage);
    str_add(out, slice_of(storage, cut ? sizeof(storage) : len));
    str_add(out, cut ? SLICE("...") : SLICE(""));
}

void read_value(struct reader *r, const struct place *at, const struct key *key,
                const json_t *value, void *base)
{
    char storage[2 * LIMIT_LOG_TEXT];
    struct str text = STR_ON(storage);

    if ((key->kind->types & 1u << json_typeof(value)) != 0 &&
        key->kind->read(r, at, key, value, base))
        return;
    str_add(&text, SLICE("expected "));
    key->kind->describe(key, &text);
    str_add(&text, SLICE(", found "));
    add_found(value, &text);
    fault(r, at, "%s", storage);
}

void release_object(const struct shape *shape, void *base)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct key *key = &shape->keys[i];
        if (key->kind->release != NULL)
            key->kind->release(key, base);
    }
}
