/*
 * Kinds of values about logging in at a backend: what identifies the client there, and the master
 * user with the file that holds his password. Passwords are wiped when the tree is released and
 * never part of a finding.
 */
#include "conf/key.h"
#include "conf/memory.h"

static struct slice text_of(const json_t *value)
{
    return slice_of(json_string_value(value), json_string_length(value));
}

static void schema_string(const struct key *key, json_t *out)
{
    json_object_set_new(out, "type", json_string("string"));
    json_object_set_new(out, "minLength", json_integer(1));
    json_object_set_new(out, "maxLength", json_integer((json_int_t)key->max));
}

/* ----- identity: a list of words, of which two exclude each other --------------------------- */

static void describe_identity(const struct key *key, struct str *out)
{
    kind_word_set.describe(key, out);
}

static bool read_identity(struct reader *r, const struct place *at, const struct key *key,
                          const json_t *value, void *base)
{
    enum { ID, V1, V2, COUNT };
    struct conf_backend *backend = base;
    struct key words = *key;
    bool chosen[COUNT] = {false};

    words.offset = 0;
    if (!kind_word_set.read(r, at, &words, value, chosen))
        return false;
    if (chosen[V1] && chosen[V2])
        fault(r, at,
              "a connection begins with one PROXY header: choose \"proxy-v1\" or "
              "\"proxy-v2\"");
    backend->identity_id = chosen[ID];
    backend->proxy_header = chosen[V1]   ? CONF_PROXY_V1
                            : chosen[V2] ? CONF_PROXY_V2
                                         : CONF_PROXY_NONE;
    return true;
}

static void schema_identity(const struct key *key, json_t *out)
{
    kind_word_set.schema(key, out);
}

const struct kind kind_identity = {TYPE(ARRAY), describe_identity, read_identity, NULL,
                                   schema_identity};

/* ----- "forward", or an object that says otherwise ------------------------------------------ */

static void describe_login(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("\"forward\", or { \"master\": { \"user\": NAME, \"password_file\": "
                       "FILE } }"));
}

static bool read_login(struct reader *r, const struct place *at, const struct key *key,
                       const json_t *value, void *base)
{
    if (json_is_string(value))
        return slice_eq(text_of(value), SLICE("forward"));
    read_object(r, at, key->shape, value, base);
    return true;
}

static void release_login(const struct key *key, void *base)
{
    release_object(key->shape, base);
}

static void schema_login(const struct key *key, json_t *out)
{
    json_t *either = json_array();

    json_array_append_new(either, json_pack("{s:s}", "const", "forward"));
    json_array_append_new(either, schema_of_object(key->shape));
    json_object_set_new(out, "anyOf", either);
}

const struct kind kind_login = {TYPE(STRING) | TYPE(OBJECT), describe_login, read_login,
                                release_login, schema_login};

/* ----- a user name, as it is ---------------------------------------------------------------- */

static void describe_user(const struct key *key, struct str *out)
{
    str_addf(out, "a user name of 1 to %llu bytes without control characters",
             (unsigned long long)key->max);
}

static bool read_user(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    struct slice name = text_of(value);

    UNUSED(r);
    UNUSED(at);
    if (name.len == 0 || name.len > key->max || !slice_is_text(name))
        return false;
    store_pointer(key, base, memory_text(name));
    return true;
}

static void release_user(const struct key *key, void *base)
{
    free(load_pointer(key, base));
}

const struct kind kind_user = {TYPE(STRING), describe_user, read_user, release_user, schema_string};

/* ----- what stands between two names -------------------------------------------------------- */

static void describe_separator(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("one ASCII character that is no letter, digit, space or \"@\""));
}

static bool read_separator(struct reader *r, const struct place *at, const struct key *key,
                           const json_t *value, void *base)
{
    struct slice text = text_of(value);
    char lower = text.len == 1 ? ascii_lower(*text.ptr) : ' ';
    UNUSED(r);
    UNUSED(at);
    if (lower <= ' ' || lower > '~' || lower == '@' || (lower >= 'a' && lower <= 'z') ||
        (lower >= '0' && lower <= '9'))
        return false;
    store(key, base, text.ptr, 1);
    return true;
}

const struct kind kind_separator = {TYPE(STRING), describe_separator, read_separator, NULL,
                                    schema_string};

/* ----- a secret in a file ------------------------------------------------------------------- */

static void describe_secret_file(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("the path of a file that holds a password and nothing else"));
}

/* The first line, which must be the only one. */
static bool password_of(struct slice text, struct slice *password)
{
    struct slice rest = text;
    struct slice line = slice_cut(&rest, '\n');

    if (line.len > 0 && line.ptr[line.len - 1] == '\r' && line.len < text.len)
        line.len--;
    if (rest.len > 0 || line.len == 0 || slice_find(line, '\0') < line.len ||
        slice_find(line, '\r') < line.len)
        return false;
    *password = line;
    return true;
}

static struct secret *secret_of(const struct key *key, void *base)
{
    return (struct secret *)(void *)((char *)base + key->offset);
}

static void read_password(struct reader *r, const struct place *at, const char *path,
                          struct secret *out)
{
    struct slice password;
    char *text;
    size_t len;
    const char *problem = reader_load(r, path, LIMIT_SECRET, &text, &len);

    if (problem != NULL) {
        fault(r, at, "cannot read %s: %s", path, problem);
        return;
    }
    if (!password_of(slice_of(text, len), &password) || !secret_set(out, password))
        fault(r, at, "expected a password on the only line of %s", path);
    explicit_bzero(text, len);
    free(text);
}

static bool read_secret_file(struct reader *r, const struct place *at, const struct key *key,
                             const json_t *value, void *base)
{
    struct slice text = text_of(value);

    if (text.len == 0)
        return false;
    char *path = reader_path(r, text);
    read_password(r, at, path, secret_of(key, base));
    free(path);
    return true;
}

static void release_secret(const struct key *key, void *base)
{
    secret_clear(secret_of(key, base));
}

static void schema_path(const struct key *key, json_t *out)
{
    UNUSED(key);
    json_object_set_new(out, "type", json_string("string"));
    json_object_set_new(out, "minLength", json_integer(1));
}

const struct kind kind_secret_file = {TYPE(STRING), describe_secret_file, read_secret_file,
                                      release_secret, schema_path};
