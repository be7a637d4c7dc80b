/*
 * The JSON Schemas: the checked-in ones are what the tables say, the examples follow them, and
 * what the loader refuses for its shape the schema refuses too.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/conf_text.h"

TestSuite(schema);

static const char *const schema_paths[] = {
    [CONF_WAYPOST_JSON] = "config/schema/waypost.schema.json",
    [CONF_ROUTES_JSON] = "config/schema/routes.schema.json",
};
static const char *const example_paths[] = {
    [CONF_WAYPOST_JSON] = "config/waypost.json",
    [CONF_ROUTES_JSON] = "config/routes.json",
};

static const char *const manual_paths[] = {
    [CONF_WAYPOST_JSON] = "docs/man/waypost.json.5",
    [CONF_ROUTES_JSON] = "docs/man/routes.json.5",
};

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 16);

    cr_assert_not_null(file, "%s", path);
    cr_assert_lt(fread(text, 1, 1 << 16, file), 1 << 16);
    fclose(file);
    return text;
}

/* ----- as much of a JSON Schema validator as our schemas need ------------------------------- */

static bool fits(const json_t *schema, const json_t *value);

static bool fits_type(const json_t *schema, const json_t *value)
{
    const char *type = json_string_value(json_object_get(schema, "type"));

    if (type == NULL)
        return true;
    if (strcmp(type, "object") == 0)
        return json_is_object(value);
    if (strcmp(type, "array") == 0)
        return json_is_array(value);
    if (strcmp(type, "string") == 0)
        return json_is_string(value);
    if (strcmp(type, "boolean") == 0)
        return json_is_boolean(value);
    cr_assert_str_eq(type, "integer");
    return json_is_integer(value);
}

static size_t fitting(const json_t *schemas, const json_t *value)
{
    size_t i, count = 0;
    json_t *schema;

    json_array_foreach(schemas, i, schema) count += fits(schema, value) ? 1 : 0;
    return count;
}

static bool fits_bound(const json_t *schema, const char *least, const char *most, json_int_t n)
{
    const json_t *low = json_object_get(schema, least), *high = json_object_get(schema, most);
    return (low == NULL || n >= json_integer_value(low)) &&
           (high == NULL || n <= json_integer_value(high));
}

static bool has_all(const json_t *names, const json_t *object)
{
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
    {
        if (json_object_get(object, json_string_value(name)) == NULL)
            return false;
    }
    return true;
}

static bool fits_member(const json_t *schema, const json_t *object, const char *name,
                        const json_t *value)
{
    const json_t *property = json_object_get(json_object_get(schema, "properties"), name);
    const json_t *others = json_object_get(schema, "additionalProperties");
    const json_t *needs = json_object_get(json_object_get(schema, "dependentRequired"), name);

    if (needs != NULL && !has_all(needs, object))
        return false;
    if (property != NULL)
        return fits(property, value);
    return others == NULL || (!json_is_false(others) && fits(others, value));
}

static bool fits_object(const json_t *schema, const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (!fits_member(schema, object, name, value))
            return false;
    }
    return has_all(json_object_get(schema, "required"), object) &&
           fits_bound(schema, "minProperties", "maxProperties",
                      (json_int_t)json_object_size(object));
}

static bool fits_array(const json_t *schema, const json_t *array)
{
    const json_t *items = json_object_get(schema, "items");
    size_t i;
    json_t *item;

    json_array_foreach(array, i, item)
    {
        if (items != NULL && !fits(items, item))
            return false;
    }
    return fits_bound(schema, "minItems", "maxItems", (json_int_t)json_array_size(array));
}

static bool fits_scalar(const json_t *schema, const json_t *value)
{
    if (json_is_string(value))
        return fits_bound(schema, "minLength", "maxLength", (json_int_t)json_string_length(value));
    return !json_is_integer(value) ||
           fits_bound(schema, "minimum", "maximum", json_integer_value(value));
}

static bool fits_choice(const json_t *schema, const json_t *value)
{
    const json_t *words = json_object_get(schema, "enum");
    const json_t *constant = json_object_get(schema, "const");
    const json_t *any = json_object_get(schema, "anyOf"), *one = json_object_get(schema, "oneOf");
    bool listed = words == NULL;

    for (size_t i = 0; i < json_array_size(words); i++)
        listed = listed || json_equal(json_array_get(words, i), value);
    return listed && (constant == NULL || json_equal(constant, value)) &&
           (any == NULL || fitting(any, value) > 0) && (one == NULL || fitting(one, value) == 1);
}

static bool fits(const json_t *schema, const json_t *value)
{
    if (!fits_type(schema, value) || !fits_choice(schema, value))
        return false;
    if (json_is_object(value))
        return fits_object(schema, value);
    return json_is_array(value) ? fits_array(schema, value) : fits_scalar(schema, value);
}

static bool fits_text(enum conf_document document, const char *text)
{
    char *schema_text = conf_schema(document);
    json_t *schema = json_loads(schema_text, 0, NULL);
    json_t *value = json_loads(text, 0, NULL);

    cr_assert_not_null(schema);
    cr_assert_not_null(value, "%s", text);
    bool good = fits(schema, value);
    json_decref(schema);
    json_decref(value);
    free(schema_text);
    return good;
}

/* ----- tests -------------------------------------------------------------------------------- */

Test(schema, the_checked_in_schemas_are_what_the_tables_say)
{
    for (size_t i = 0; i < COUNT_OF(schema_paths); i++) {
        char *made = conf_schema((enum conf_document)i);
        char *kept = read_whole(schema_paths[i]);
        size_t len = strlen(made);
        cr_expect(strncmp(made, kept, len) == 0 && strcmp(kept + len, "\n") == 0,
                  "%s is out of date: `make schema`", schema_paths[i]);
        free(made);
        free(kept);
    }
}

Test(schema, the_examples_follow_the_schemas_and_load)
{
    struct conf *conf = NULL;
    struct conf_errors errors = {0};

    for (size_t i = 0; i < COUNT_OF(example_paths); i++) {
        char *text = read_whole(example_paths[i]);
        cr_expect(fits_text((enum conf_document)i, text), "%s", example_paths[i]);
        free(text);
    }
    cr_expect(conf_load(example_paths[CONF_WAYPOST_JSON], &conf, &errors), "%s: %s",
              errors.count > 0 ? errors.list[0].pointer : "",
              errors.count > 0 ? errors.list[0].text : "");
    conf_release(&conf);
    conf_errors_clear(&errors);
}

Test(schema, loader_and_schema_agree_about_shape)
{
#define B "\"backends\": {\"b\": {\"address\": \"b.example:993\", \"tls\": \"implicit\"}}"
    static const struct {
        const char *routes;
        bool good;
    } rows[] = {
        {"{" B ", \"routes\": [{\"to\": \"b\"}]}", true},
        {"{" B ", \"routes\": [{\"to\": \"b\", \"login_as\": \"x\"}]}", true},
        {"{" B ", \"routes\": [{\"users\": {\"a\": \"b\", \"c\": {\"to\": \"b\"}}}]}", true},
        {"{" B ", \"routes\": [{\"domains\": {\"a.b\": {\"to\": \"b\", \"login_as\": \"x\"}}}]}",
         true},
        {"{" B ", \"routes\": [{\"deny\": true}]}", true},
        {"{" B "}", false},
        {"{" B ", \"routes\": []}", false},
        {"{" B ", \"routes\": [{}]}", false},
        {"{" B ", \"routes\": [{\"to\": \"b\", \"deny\": true}]}", false},
        {"{" B ", \"routes\": [{\"deny\": false}]}", false},
        {"{" B ", \"routes\": [{\"deny\": true, \"login_as\": \"x\"}]}", false},
        {"{" B ", \"routes\": [{\"users\": {\"a\": {}}}]}", false},
        {"{" B ", \"routes\": [{\"users\": {\"a\": 1}}]}", false},
        {"{" B ", \"routes\": [{\"domains\": {}}]}", false},
        {"{" B ", \"routes\": [{\"to\": \"b\"}], \"pools\": {}}", true},
        {"{" B ", \"routes\": [{\"to\": \"p\"}], \"pools\": {\"p\": {\"members\": {\"b\": 1}}}}",
         true},
        {"{" B ", \"routes\": [{\"to\": \"b\"}], \"pools\": {\"p\": {\"members\": {}}}}", false},
        {"{" B ", \"routes\": [{\"to\": \"b\"}], \"pools\": {\"p\": {\"members\": {\"b\": -1}}}}",
         false},
        {"{" B ", \"routes\": [{\"to\": \"b\"}], \"pools\": {\"p\": {\"choose\": \"first\"}}}",
         false},
        {"{\"backends\": {}, \"routes\": [{\"deny\": true}]}", false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *conf = NULL;
        struct conf_errors errors = {0};
        cr_expect_eq(fits_text(CONF_ROUTES_JSON, rows[i].routes), rows[i].good, "schema: %s",
                     rows[i].routes);
        cr_expect_eq(conf_text_load(conf_text_waypost, rows[i].routes, NULL, &conf, &errors),
                     rows[i].good, "loader: %s", rows[i].routes);
        conf_release(&conf);
        conf_errors_clear(&errors);
    }
}

/* ----- the manual --------------------------------------------------------------------------- */

/* Every name under a "properties" of the schema, at any depth, must be set in bold. */
static void expect_keys(const json_t *schema, const char *manual, const char *path)
{
    const char *name;
    json_t *value;
    char wanted[64];

    json_object_foreach((json_t *)(uintptr_t)schema, name, value)
    {
        const char *key;
        json_t *property;
        if (json_is_object(value))
            expect_keys(value, manual, path);
        if (strcmp(name, "properties") != 0)
            continue;
        json_object_foreach(value, key, property)
        {
            snprintf(wanted, sizeof(wanted), "Sy %s", key);
            cr_expect(strstr(manual, wanted) != NULL, "%s does not describe %s", path, key);
        }
    }
}

Test(schema, the_manual_describes_every_key)
{
    for (size_t i = 0; i < COUNT_OF(manual_paths); i++) {
        char *manual = read_whole(manual_paths[i]);
        char *text = conf_schema((enum conf_document)i);
        json_t *schema = json_loads(text, 0, NULL);
        expect_keys(schema, manual, manual_paths[i]);
        json_decref(schema);
        free(text);
        free(manual);
    }
}

/* The next literal display of a manual page, cut out in place; NULL behind the last. */
static char *next_display(char **rest)
{
    static const char begin[] = "\n.Bd -literal -offset indent\n", end[] = "\n.Ed";
    char *display = strstr(*rest, begin);

    if (display == NULL)
        return NULL;
    display += sizeof(begin) - 1;
    *rest = strstr(display, end);
    cr_assert_not_null(*rest);
    *(*rest)++ = '\0';
    return display;
}

static const char moved[] = "alice\tnew\n";

static bool loads(enum conf_document document, const char *text, struct conf_errors *errors)
{
    struct conf_text files[] = {
        {"waypost.json",
         slice_str(document == CONF_WAYPOST_JSON ? text : (const char *)conf_text_waypost)},
        {"routes.json",
         slice_str(document == CONF_ROUTES_JSON ? text : (const char *)conf_text_routes)},
        {"moved.tsv", slice_str(moved)},
        {"master.password", SLICE("secret\n")},
        {NULL, {0}},
    };
    struct conf_source source = conf_text_source(files);
    struct conf *conf = NULL;
    bool good = conf_load_from("waypost.json", &source, &conf, errors);

    conf_release(&conf);
    return good;
}

Test(schema, the_examples_of_the_manual_load)
{
    size_t examples = 0;

    for (size_t i = 0; i < COUNT_OF(manual_paths); i++) {
        char *manual = read_whole(manual_paths[i]), *rest = manual, *display;
        while ((display = next_display(&rest)) != NULL) {
            struct conf_errors errors = {0};
            if (display[0] != '{')
                continue;
            examples++;
            cr_expect(loads((enum conf_document)i, display, &errors), "%s: %s: %s", manual_paths[i],
                      errors.count > 0 ? errors.list[0].pointer : "",
                      errors.count > 0 ? errors.list[0].text : "");
            conf_errors_clear(&errors);
        }
        free(manual);
    }
    cr_expect_eq(examples, 7);
}
