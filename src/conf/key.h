/*
 * One row per key: the tables that load the configuration, find misspelt keys, write the JSON
 * Schema and free the tree. What differs between types of values is one struct kind each.
 */
#pragma once

#include <jansson.h>

#include "conf/positions.h"
#include "waypost/base/limits.h"
#include "waypost/conf/conf.h"

/* Durations in rows, ms. */
#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define MOMENT UINT64_C(100) /* the shortest deadline that is not a mistake */

struct shape;

/* Where the reader stands: a chain from the value at hand up to the document. */
struct place {
    const struct place *up; /* NULL: this is the document */
    const char *name;       /* NULL: an array element */
    size_t index;
};

/* One file being read. */
struct reader {
    const char *file;
    const struct conf_source *source;
    struct conf_errors *errors;
    struct positions lines;
    size_t faults;              /* found in this file, shown or not */
    const struct conf *conf;    /* being filled, or filled while reading routes.json */
    struct conf_routes *routes; /* being filled; NULL while reading waypost.json */
    struct strmap target_names; /* index into routes->targets */
};

struct key {
    const char *name;
    const struct kind *kind;
    size_t offset; /* of the field within the struct that the object fills */
    size_t size;   /* of the field */
    size_t also;   /* of the second field: a count or a port */
    bool required;
    const char *needs;         /* another key that must stand beside this one */
    const char *fallback;      /* default as JSON text; NULL: the field stays zero */
    uint64_t min, max;         /* of numbers, sizes, durations, lengths of texts and lists */
    const char *const *words;  /* NULL-terminated choices, in the order of the enum */
    const struct shape *shape; /* of an object */
    const struct key *element; /* of a list or map */
    const char *help;
};

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define ALSO(type, member)  .also = offsetof(type, member)

/* An object: its keys and what has to hold between them. */
struct shape {
    const struct key *keys;
    size_t count;
    const char *const *one_of; /* NULL, or keys of which exactly one must be present */
    /* Runs after all keys have been read, well or not; `object` tells what is present. */
    void (*check)(struct reader *r, const struct place *at, const json_t *object, void *base);
};

#define SHAPE_KEYS(array) .keys = (array), .count = COUNT_OF(array)

/* A type of values. */
struct kind {
    unsigned types; /* bits 1 << json_type that are acceptable at all */
    /* Appends what is expected, as in "expected a host name". */
    void (*describe)(const struct key *key, struct str *out);
    /* Stores the value into the struct at `base`. False: not what `describe` says. A kind that
     * knows better reports by itself and returns true. */
    bool (*read)(struct reader *r, const struct place *at, const struct key *key,
                 const json_t *value, void *base);
    void (*release)(const struct key *key, void *base); /* NULL: owns nothing */
    void (*schema)(const struct key *key, json_t *out); /* adds what JSON Schema can say */
};

#define TYPE(t) (1u << JSON_##t)

/* kind_plain.c: values of their own. */
extern const struct kind kind_ignored, kind_bool, kind_true, kind_number, kind_size, kind_duration,
    kind_word, kind_word_set;
/* kind_text.c: strings. */
extern const struct kind kind_text, kind_path, kind_socket, kind_log_target, kind_host_name,
    kind_listen_address, kind_backend_address, kind_ip, kind_cidr, kind_pin, kind_hidden, kind_caps;
/* kind_login.c: how Waypost logs in at a backend. */
extern const struct kind kind_identity, kind_login, kind_user, kind_separator, kind_secret_file;
/* kind_group.c: objects, lists and maps. Elements of a map begin with a `char *name`. */
extern const struct kind kind_object, kind_list, kind_map;
/* kind_pool.c: the members of a pool. */
extern const struct kind kind_members, kind_member;
/* kind_condition.c: what a rule asks for. */
extern const struct kind kind_pattern, kind_listener_name, kind_server_name;
/* kind_route.c: what rules are made of. */
extern const struct kind kind_target, kind_login_as, kind_rewrite, kind_destination, kind_users,
    kind_users_file, kind_domains;

/* How backends are probed: by default, and one of them. The latter takes over what `object`, the
 * backend, leaves out. */
extern const struct shape probe_shape, backend_probe_shape;
void probe_inherit(struct conf_backend *backend, const struct conf_probe *defaults,
                   const json_t *object);

/* The two documents. */
extern const struct shape waypost_shape, routes_shape;
/* Parts of waypost.json, and what its lists of networks are made of. */
extern const struct shape limits_shape, timeouts_shape, keepalive_shape, placement_shape;
extern const struct key cidr_element;

void read_object(struct reader *r, const struct place *at, const struct shape *shape,
                 const json_t *object, void *base);
void read_value(struct reader *r, const struct place *at, const struct key *key,
                const json_t *value, void *base);
void release_object(const struct shape *shape, void *base);

/* Records a finding at the line of `at`. */
void fault(struct reader *r, const struct place *at, const char *format, ...) PRINTF(3, 4);
unsigned place_line(const struct reader *r, const struct place *at);
/* A path of the file, relative to the file's directory unless absolute. The caller frees it. */
char *reader_path(const struct reader *r, struct slice path);
/* Whoever asks what the configuration is made of is told of this file, as it is now: before it is
 * read. */
void reader_note(const struct reader *r, const char *path);
/* Notes a file and reads it from the source, see struct conf_source. */
const char *reader_load(const struct reader *r, const char *path, size_t max, char **text,
                        size_t *len);

/* The shape check of a pool: makes it a target. */
void check_pool(struct reader *r, const struct place *at, const json_t *object, void *base);
/* A rule of the routing table, and the finding that one is never reached. */
extern const struct key rule_element;
void check_reachable(struct reader *r, const struct place *routes, const struct conf_routes *table);
/* Reports backends at the address of one of our own listeners. */
void check_loops(struct reader *r, const struct place *root);

json_t *schema_of_object(const struct shape *shape);
json_t *schema_of_value(const struct key *key);

/* Fields are written through memcpy because a row knows their place and size, not their type. */
static inline void store(const struct key *key, void *base, const void *value, size_t size)
{
    REQUIRE(key->size == size);
    memcpy((char *)base + key->offset, value, size);
}

static inline void *load_pointer(const struct key *key, const void *base)
{
    void *p;
    memcpy(&p, (const char *)base + key->offset, sizeof(p));
    return p;
}

static inline void store_pointer(const struct key *key, void *base, const void *p)
{
    store(key, base, &p, sizeof(p));
}
