/*
 * Kinds of values that need no memory of their own: truth values, numbers, sizes, durations and
 * choices.
 */
#include "conf/key.h"
#include "waypost/conf/suggest.h"
#include "waypost/conf/value.h"

static json_t *json_number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void set_type(json_t *out, const char *type)
{
    json_object_set_new(out, "type", json_string(type));
}

/* ----- ignored: "$schema", for editors ------------------------------------------------------ */

static void describe_string(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("a string"));
}

static bool read_ignored(struct reader *r, const struct place *at, const struct key *key,
                         const json_t *value, void *base)
{
    UNUSED(r);
    UNUSED(at);
    UNUSED(key);
    UNUSED(value);
    UNUSED(base);
    return true;
}

static void schema_string(const struct key *key, json_t *out)
{
    UNUSED(key);
    set_type(out, "string");
}

const struct kind kind_ignored = {TYPE(STRING), describe_string, read_ignored, NULL, schema_string};

/* ----- truth values ------------------------------------------------------------------------- */

static void describe_bool(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("true or false"));
}

static bool read_bool(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    bool truth = json_is_true(value);
    UNUSED(r);
    UNUSED(at);
    store(key, base, &truth, sizeof(truth));
    return true;
}

static void schema_bool(const struct key *key, json_t *out)
{
    UNUSED(key);
    set_type(out, "boolean");
}

const struct kind kind_bool = {TYPE(TRUE) | TYPE(FALSE), describe_bool, read_bool, NULL,
                               schema_bool};

/* A flag whose presence is the statement. */

static void describe_true(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("true, or the key left out"));
}

static void schema_true(const struct key *key, json_t *out)
{
    UNUSED(key);
    json_object_set_new(out, "const", json_true());
}

const struct kind kind_true = {TYPE(TRUE), describe_true, read_ignored, NULL, schema_true};

/* ----- numbers, sizes, durations ------------------------------------------------------------ */

static bool store_amount(const struct key *key, void *base, uint64_t amount)
{
    unsigned narrow = (unsigned)amount;

    if (amount < key->min || amount > key->max)
        return false;
    if (key->size == sizeof(narrow))
        store(key, base, &narrow, sizeof(narrow));
    else
        store(key, base, &amount, sizeof(amount));
    return true;
}

static bool read_integer(const struct key *key, const json_t *value, void *base)
{
    json_int_t n = json_integer_value(value);
    return n >= 0 && store_amount(key, base, (uint64_t)n);
}

static void describe_number(const struct key *key, struct str *out)
{
    str_addf(out, "a whole number from %llu to %llu", (unsigned long long)key->min,
             (unsigned long long)key->max);
}

static bool read_number(struct reader *r, const struct place *at, const struct key *key,
                        const json_t *value, void *base)
{
    UNUSED(r);
    UNUSED(at);
    return read_integer(key, value, base);
}

static void schema_number(const struct key *key, json_t *out)
{
    set_type(out, "integer");
    json_object_set_new(out, "minimum", json_number(key->min));
    json_object_set_new(out, "maximum", json_number(key->max));
}

const struct kind kind_number = {TYPE(INTEGER), describe_number, read_number, NULL, schema_number};

static void describe_size(const struct key *key, struct str *out)
{
    str_addf(out, "a number of bytes from %llu to %llu, or a size such as \"64KiB\"",
             (unsigned long long)key->min, (unsigned long long)key->max);
}

static bool read_size(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    uint64_t bytes;
    UNUSED(r);
    UNUSED(at);
    if (json_is_integer(value))
        return read_integer(key, value, base);
    return value_size(text, key->max, &bytes) && store_amount(key, base, bytes);
}

static void schema_size(const struct key *key, json_t *out)
{
    json_t *number = json_object(), *text = json_object(), *either = json_array();

    schema_number(key, number);
    set_type(text, "string");
    json_object_set_new(text, "pattern", json_string("^[0-9]+(B|KiB|MiB|GiB)$"));
    json_array_append_new(either, number);
    json_array_append_new(either, text);
    json_object_set_new(out, "anyOf", either);
}

const struct kind kind_size = {TYPE(INTEGER) | TYPE(STRING), describe_size, read_size, NULL,
                               schema_size};

static void describe_duration(const struct key *key, struct str *out)
{
    str_add(out, SLICE("a duration such as \"30s\", from "));
    value_add_duration(out, key->min);
    str_add(out, SLICE(" to "));
    value_add_duration(out, key->max);
    str_add(out, SLICE(" (units: ms, s, m, h)"));
}

static bool read_duration(struct reader *r, const struct place *at, const struct key *key,
                          const json_t *value, void *base)
{
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    uint64_t ms;
    UNUSED(r);
    UNUSED(at);
    return value_duration(text, key->max, &ms) && store_amount(key, base, ms);
}

static void schema_duration(const struct key *key, json_t *out)
{
    UNUSED(key);
    set_type(out, "string");
    json_object_set_new(out, "pattern", json_string("^[0-9]+(ms|s|m|h)$"));
}

const struct kind kind_duration = {TYPE(STRING), describe_duration, read_duration, NULL,
                                   schema_duration};

/* ----- choices ------------------------------------------------------------------------------ */

static size_t word_index(const struct key *key, const char *text)
{
    size_t i = 0;
    while (key->words[i] != NULL && strcmp(key->words[i], text) != 0)
        i++;
    return i;
}

static void add_words(const struct key *key, struct str *out)
{
    for (size_t i = 0; key->words[i] != NULL; i++)
        str_addf(out, "%s\"%s\"", i == 0 ? "" : ", ", key->words[i]);
}

static void describe_word(const struct key *key, struct str *out)
{
    str_add(out, key->words[1] == NULL ? SLICE("") : SLICE("one of "));
    add_words(key, out);
}

static void unknown_word(struct reader *r, const struct place *at, const struct key *key,
                         const char *text)
{
    char storage[2 * LIMIT_LOG_TEXT];
    struct str message = STR_ON(storage);
    struct suggest suggest = suggest_for(slice_str(text));

    describe_word(key, &message);
    str_addf(&message, ", found \"%.*s\"", (int)LIMIT_NAME, text);
    for (size_t i = 0; key->words[i] != NULL; i++)
        suggest_offer(&suggest, key->words[i]);
    suggest_add(&suggest, &message);
    fault(r, at, "expected %s", storage);
}

/* The field is an enum in the order of the words, or a bool. */
static bool read_word(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    size_t i = word_index(key, json_string_value(value));
    unsigned choice = (unsigned)i;
    bool truth = i != 0;

    if (key->words[i] == NULL)
        unknown_word(r, at, key, json_string_value(value));
    else if (key->size == sizeof(truth))
        store(key, base, &truth, sizeof(truth));
    else
        store(key, base, &choice, sizeof(choice));
    return true;
}

static void schema_word(const struct key *key, json_t *out)
{
    json_t *words = json_array();
    for (size_t i = 0; key->words[i] != NULL; i++)
        json_array_append_new(words, json_string(key->words[i]));
    json_object_set_new(out, "enum", words);
}

const struct kind kind_word = {TYPE(STRING), describe_word, read_word, NULL, schema_word};

/* A list of words; the field is an array of bool in their order. */

static void describe_word_set(const struct key *key, struct str *out)
{
    str_add(out, key->min == 0 ? SLICE("a list of ") : SLICE("a list, not empty, of "));
    add_words(key, out);
}

static bool read_word_set(struct reader *r, const struct place *at, const struct key *key,
                          const json_t *value, void *base)
{
    bool *set = (bool *)((char *)base + key->offset);

    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        size_t word = text == NULL ? 0 : word_index(key, text);
        struct place here = {.up = at, .index = i};
        if (text == NULL)
            fault(r, &here, "expected a string");
        else if (key->words[word] == NULL)
            unknown_word(r, &here, key, text);
        else
            set[word] = true;
    }
    return json_array_size(value) >= key->min;
}

static void schema_word_set(const struct key *key, json_t *out)
{
    json_t *item = json_object();
    schema_word(key, item);
    set_type(out, "array");
    json_object_set_new(out, "items", item);
    json_object_set_new(out, "minItems", json_number(key->min));
}

const struct kind kind_word_set = {TYPE(ARRAY), describe_word_set, read_word_set, NULL,
                                   schema_word_set};
