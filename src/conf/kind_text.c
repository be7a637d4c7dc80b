/*
 * Kinds of values that are strings. Fields of type char * own a copy; the others are filled from
 * the text.
 */
#include "conf/key.h"
#include "conf/memory.h"
#include "waypost/conf/value.h"

static struct slice text_of(const json_t *value)
{
    return slice_of(json_string_value(value), json_string_length(value));
}

static void keep(const struct key *key, void *base, struct slice text)
{
    store_pointer(key, base, memory_text(text));
}

static void release_text(const struct key *key, void *base)
{
    free(load_pointer(key, base));
}

static void set_string(json_t *out, const char *pattern)
{
    json_object_set_new(out, "type", json_string("string"));
    if (pattern != NULL)
        json_object_set_new(out, "pattern", json_string(pattern));
}

static void schema_text(const struct key *key, json_t *out)
{
    UNUSED(key);
    set_string(out, NULL);
    json_object_set_new(out, "minLength", json_integer(1));
}

/* ----- free text ---------------------------------------------------------------------------- */

static void describe_text(const struct key *key, struct str *out)
{
    str_addf(out, "a string of 1 to %llu characters", (unsigned long long)key->max);
}

static bool read_text(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    struct slice text = text_of(value);
    UNUSED(r);
    UNUSED(at);
    if (text.len == 0 || text.len > key->max)
        return false;
    keep(key, base, text);
    return true;
}

const struct kind kind_text = {TYPE(STRING), describe_text, read_text, release_text, schema_text};

/* ----- paths -------------------------------------------------------------------------------- */

static void describe_path(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("the path of a file"));
}

/* Something that Waypost makes. */
static bool read_new_path(struct reader *r, const struct place *at, const struct key *key,
                          const json_t *value, void *base)
{
    struct slice text = text_of(value);
    UNUSED(at);
    if (text.len == 0)
        return false;
    store_pointer(key, base, reader_path(r, text));
    return true;
}

static bool read_path(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    bool good = read_new_path(r, at, key, value, base);
    if (good)
        reader_note(r, load_pointer(key, base));
    return good;
}

static void describe_socket(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("the path of a socket"));
}

const struct kind kind_path = {TYPE(STRING), describe_path, read_path, release_text, schema_text};
const struct kind kind_socket = {TYPE(STRING), describe_socket, read_new_path, release_text,
                                 schema_text};

static void describe_log_target(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("\"stderr\", \"syslog\" or the path of a file"));
}

static bool read_log_target(struct reader *r, const struct place *at, const struct key *key,
                            const json_t *value, void *base)
{
    struct slice text = text_of(value);

    if (!slice_eq(text, SLICE("stderr")) && !slice_eq(text, SLICE("syslog")))
        return read_new_path(r, at, key, value, base);
    keep(key, base, text);
    return true;
}

const struct kind kind_log_target = {TYPE(STRING), describe_log_target, read_log_target,
                                     release_text, schema_text};

/* ----- names and addresses ------------------------------------------------------------------ */

static void describe_host_name(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("a host name such as \"imap.example.net\""));
}

static bool read_host_name(struct reader *r, const struct place *at, const struct key *key,
                           const json_t *value, void *base)
{
    UNUSED(r);
    UNUSED(at);
    if (!value_is_host_name(text_of(value)))
        return false;
    keep(key, base, text_of(value));
    return true;
}

const struct kind kind_host_name = {TYPE(STRING), describe_host_name, read_host_name, release_text,
                                    schema_text};

/* An address is kept in one form only, so that equal ones compare equal (RFC 5952). */
static bool read_endpoint(const struct key *key, const json_t *value, bool only_ip, void *base)
{
    char canonical[ADDR_TEXT];
    struct slice host;
    struct addr addr;
    uint16_t port;
    bool is_ip;

    if (!value_endpoint(text_of(value), &host, &port))
        return false;
    is_ip = addr_parse(host, &addr);
    if (only_ip && !is_ip)
        return false;
    keep(key, base, is_ip ? slice_str(addr_format(&addr, false, canonical)) : host);
    memcpy((char *)base + key->also, &port, sizeof(port));
    return true;
}

static void describe_listen_address(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("an IP address and a port such as \"[::]:993\" or \"192.0.2.1:993\""));
}

static bool read_listen_address(struct reader *r, const struct place *at, const struct key *key,
                                const json_t *value, void *base)
{
    UNUSED(r);
    UNUSED(at);
    return read_endpoint(key, value, true, base);
}

static void describe_backend_address(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("a host and a port such as \"imap.example.net:993\", "
                       "\"192.0.2.1:993\" or \"[2001:db8::1]:993\""));
}

static bool read_backend_address(struct reader *r, const struct place *at, const struct key *key,
                                 const json_t *value, void *base)
{
    UNUSED(r);
    UNUSED(at);
    return read_endpoint(key, value, false, base);
}

static void schema_address(const struct key *key, json_t *out)
{
    UNUSED(key);
    set_string(out, "^(\\[[0-9A-Fa-f:.]+\\]|[^\\[\\]:]+):[0-9]+$");
}

const struct kind kind_listen_address = {TYPE(STRING), describe_listen_address, read_listen_address,
                                         release_text, schema_address};
const struct kind kind_backend_address = {TYPE(STRING), describe_backend_address,
                                          read_backend_address, release_text, schema_address};

static void describe_ip(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("an IP address such as \"192.0.2.1\" or \"2001:db8::1\""));
}

static bool read_ip(struct reader *r, const struct place *at, const struct key *key,
                    const json_t *value, void *base)
{
    struct addr addr;
    UNUSED(r);
    UNUSED(at);
    if (!addr_parse(text_of(value), &addr))
        return false;
    store(key, base, &addr, sizeof(addr));
    return true;
}

const struct kind kind_ip = {TYPE(STRING), describe_ip, read_ip, NULL, schema_text};

static void describe_cidr(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("an IP address or network such as \"192.0.2.0/24\" (host bits zero)"));
}

static bool read_cidr(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    struct cidr net;
    UNUSED(r);
    UNUSED(at);
    if (!cidr_parse(text_of(value), &net))
        return false;
    store(key, base, &net, sizeof(net));
    return true;
}

const struct kind kind_cidr = {TYPE(STRING), describe_cidr, read_cidr, NULL, schema_text};

/* ----- pins --------------------------------------------------------------------------------- */

static void describe_pin(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("the SHA-256 of a public key, in base64 or hexadecimal"));
}

static bool read_pin(struct reader *r, const struct place *at, const struct key *key,
                     const json_t *value, void *base)
{
    unsigned char hash[VALUE_SHA256];
    UNUSED(r);
    UNUSED(at);
    if (!value_sha256(text_of(value), hash))
        return false;
    store(key, base, hash, sizeof(hash));
    return true;
}

static void schema_pin(const struct key *key, json_t *out)
{
    UNUSED(key);
    set_string(out, "^([A-Za-z0-9+/]{43}=|[0-9A-Fa-f]{64})$");
}

const struct kind kind_pin = {TYPE(STRING), describe_pin, read_pin, NULL, schema_pin};

/* ----- capabilities ------------------------------------------------------------------------- */

static void describe_hidden(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("a capability such as \"NOTIFY\", or a prefix such as \"X-*\""));
}

static bool read_hidden(struct reader *r, const struct place *at, const struct key *key,
                        const json_t *value, void *base)
{
    UNUSED(r);
    UNUSED(at);
    if (!value_is_capability(text_of(value), true))
        return false;
    keep(key, base, text_of(value));
    return true;
}

const struct kind kind_hidden = {TYPE(STRING), describe_hidden, read_hidden, release_text,
                                 schema_text};

#define CAPS_MAX 1024u /* leaves room in a greeting for what the proxy adds */

static_assert(CAPS_MAX <= LIMIT_CAPS / 2, "a greeting holds the list and more");

/* "auto", or a list that becomes one text with spaces between. */

static void describe_caps(const struct key *key, struct str *out)
{
    UNUSED(key);
    str_add(out, SLICE("\"auto\", or a list of capabilities such as [\"IMAP4rev1\", \"ID\"]"));
}

/* What the proxy says by itself, depending on listener, TLS and mechanisms. */
static bool is_own_capability(struct slice name)
{
    return slice_eq_nocase(name, SLICE("STARTTLS")) ||
           slice_eq_nocase(name, SLICE("LOGINDISABLED")) ||
           slice_starts_nocase(name, SLICE("AUTH="));
}

static void add_capability(struct reader *r, const struct place *at, const json_t *value,
                           struct str *out)
{
    struct slice name = text_of(value);

    if (!json_is_string(value) || !value_is_capability(name, false)) {
        fault(r, at, "expected a capability such as \"IMAP4rev1\"");
    } else if (is_own_capability(name)) {
        fault(r, at, "\"%.*s\" is announced by Waypost itself where it applies: leave it out",
              SLICE_ARG(name));
    } else {
        str_add(out, out->len == 0 ? SLICE("") : SLICE(" "));
        str_add(out, name);
    }
}

static bool names_imap(struct slice words)
{
    bool found = false;

    while (words.len > 0) {
        struct slice word = slice_cut(&words, ' ');
        found = found || slice_eq_nocase(word, SLICE("IMAP4rev1")) ||
                slice_eq_nocase(word, SLICE("IMAP4rev2"));
    }
    return found;
}

static bool read_caps(struct reader *r, const struct place *at, const struct key *key,
                      const json_t *value, void *base)
{
    char storage[CAPS_MAX + 1];
    struct str words = STR_ON(storage);
    size_t faults = r->faults;

    if (json_is_string(value))
        return slice_eq(text_of(value), SLICE("auto"));
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct place here = {.up = at, .index = i};
        add_capability(r, &here, json_array_get(value, i), &words);
    }
    if (words.overflow)
        fault(r, at, "expected at most %u bytes of capabilities", CAPS_MAX);
    else if (words.len > 0 && r->faults == faults && !names_imap(str_slice(&words)))
        fault(r, at, "RFC 9051 section 6.1.1 wants \"IMAP4rev1\" or \"IMAP4rev2\" in this list");
    if (words.len > 0)
        keep(key, base, str_slice(&words));
    return json_array_size(value) > 0;
}

static void schema_caps(const struct key *key, json_t *out)
{
    json_t *list =
        json_pack("{s:s, s:{s:s}, s:i}", "type", "array", "items", "type", "string", "minItems", 1);
    json_t *either = json_array();

    UNUSED(key);
    json_array_append_new(either, json_pack("{s:s}", "const", "auto"));
    json_array_append_new(either, list);
    json_object_set_new(out, "anyOf", either);
}

const struct kind kind_caps = {TYPE(STRING) | TYPE(ARRAY), describe_caps, read_caps, release_text,
                               schema_caps};
