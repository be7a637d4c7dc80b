/*
 * The configuration as an immutable, reference-counted tree. Everything a struct conf points at is
 * owned by it and dies with the last reference; a connection keeps the one it was accepted under.
 * Durations are milliseconds, sizes bytes, strings NUL-terminated UTF-8. Absent optional strings
 * are NULL. Paths are absolute or relative to the process, already resolved against the file.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waypost/base/addr.h"
#include "waypost/base/check.h"
#include "waypost/base/log.h"
#include "waypost/base/secret.h"
#include "waypost/conf/files.h"

enum conf_tls_mode { CONF_TLS_IMPLICIT, CONF_TLS_STARTTLS, CONF_TLS_NONE };

struct conf_listener {
    char *name;
    char *host; /* without brackets; "" or "*" is refused, "::" is both families */
    uint16_t port;
    enum conf_tls_mode tls; /* never CONF_TLS_NONE */
    struct conf_proxy_protocol {
        bool enabled, required;
        struct cidr *from;
        size_t from_count;
        uint64_t timeout;
    } proxy_protocol;
};

struct conf_certificate {
    char *chain, *key; /* PEM files */
};

enum conf_tls_version { CONF_TLS_1_2, CONF_TLS_1_3 };
enum conf_client_auth { CONF_CLIENT_AUTH_NONE, CONF_CLIENT_AUTH_REQUEST, CONF_CLIENT_AUTH_REQUIRE };

struct conf_tls {
    struct conf_certificate *certificates; /* at least one; the first is the default */
    size_t certificate_count;
    enum conf_tls_version min_version;
    char *ciphers, *ciphersuites, *groups; /* OpenSSL lists; NULL: built-in choice */
    bool refuse_unknown_sni;
    char *client_ca;
    enum conf_client_auth client_auth;
    char *ticket_keys; /* file, NULL: random keys shared by the workers */
};

enum conf_mechanism {
    CONF_MECH_PLAIN,
    CONF_MECH_LOGIN,
    CONF_MECH_XOAUTH2,
    CONF_MECH_OAUTHBEARER,
    CONF_MECH_SCRAM_SHA_1,
    CONF_MECH_SCRAM_SHA_256,
    CONF_MECH_EXTERNAL, /* the last: no backend is logged in to by it */
    CONF_MECH_COUNT
};

struct conf {
    atomic_uint references;
    char *path;          /* of waypost.json, as given */
    char *routing_table; /* path of routes.json */
    unsigned workers;    /* 0: one per CPU */
    char *user, *group;  /* NULL: stay who we are */
    bool watch;          /* reload when a file of it changes */
    char *hostname;      /* what the greeting says; never NULL */
    struct conf_listener *listeners;
    size_t listener_count;
    struct conf_tls tls;
    struct conf_auth {
        bool mechanisms[CONF_MECH_COUNT];
        bool allow_authzid; /* one user may ask to act as another; the backend judges */
        /* Names the user in the payload of a token when an OAUTHBEARER message names none, for
         * routing only; NULL: such a login is refused. */
        char *oauth_claim;
        bool external_email, external_cn; /* where a certificate's user name is taken from */
        unsigned attempts_per_connection;
        uint64_t penalty_first, penalty_max;
    } auth;
    char *capabilities; /* static pre-login list, space separated; NULL: "auto" */
    struct conf_limits {
        unsigned sessions;
        unsigned unauthenticated; /* this one and those below: 0 is no limit */
        unsigned unauthenticated_per_address;
        unsigned sessions_per_user, sessions_per_user_and_address, sessions_per_address;
        unsigned logins_per_minute_per_address;
        struct cidr *trusted; /* exempt from limits of an address, and from penalties */
        size_t trusted_count;
        size_t line, sasl_line, literal;
        unsigned bad_commands;
    } limits;
    struct conf_timeouts {
        uint64_t handshake, login, backend_connect, backend_login, idle, drain;
        uint64_t backend_lost; /* clients of a dead backend are closed within that */
    } timeouts;
    struct conf_keepalive {
        uint64_t client, backend; /* 0: off */
    } keepalive;
    struct conf_placement {
        uint64_t linger; /* a user stays at his backend for so long after his last session */
        uint64_t settle; /* and is at no other for so long */
        uint64_t hold;   /* a login waits for so long for a user's other sessions to end */
    } placement;
    struct conf_probe {
        uint64_t interval;   /* 0: off */
        uint64_t timeout;    /* of one probe as a whole */
        unsigned rise, fall; /* outcomes in a row that bring a backend back, that take it down */
    } probe;                 /* of backends that say nothing else */
    struct conf_control {
        char *socket; /* NULL: none */
        char *group;  /* may use it, too; NULL: nobody else */
    } control;
    struct conf_log {
        enum log_format format;
        enum log_level level;
        char *to; /* "stderr", "syslog" or a path */
    } log;
    struct conf_routes *routes;
};

/* How a password or a token is put to a backend: in the kind it came in, or by this mechanism. A
 * relayed exchange is not affected. */
enum conf_forward {
    CONF_FORWARD_SAME,
    CONF_FORWARD_PLAIN,
    CONF_FORWARD_LOGIN,
    CONF_FORWARD_XOAUTH2,
    CONF_FORWARD_OAUTHBEARER
};
enum conf_proxy_header { CONF_PROXY_NONE, CONF_PROXY_V1, CONF_PROXY_V2 };

/* Values as routes.json has them, by number; NULL behind the last. The first identity is IMAP ID,
 * the others are headers. */
extern const char *const conf_tls_words[],
    *const conf_forward_words[], *const conf_choose_words[], *const conf_identity_words[];

struct conf_backend {
    char *name;
    size_t index; /* position in conf_routes.backends */
    char *host;   /* without brackets */
    uint16_t port;
    struct addr *sources; /* addresses of ours to connect from; none: the kernel chooses */
    size_t source_count;
    enum conf_tls_mode tls;
    bool allow_plaintext;
    char *verify_name;         /* DNS name to be found in the SAN; never NULL unless tls is NONE */
    char *verify_ca;           /* PEM file; NULL: the system's store */
    unsigned char (*pins)[32]; /* SHA-256 of the leaf's SubjectPublicKeyInfo; any one must match */
    size_t pin_count;
    char *client_chain, *client_key; /* NULL: present no certificate */
    char **hide_capabilities;
    size_t hide_count;
    enum conf_forward auth_forward;
    bool pipelining;                  /* send on before the last reply is there */
    bool mechanisms_declared;         /* `mechanisms` is known, not to be learned */
    bool mechanisms[CONF_MECH_COUNT]; /* what the backend takes; never EXTERNAL */
    bool identity_id;                 /* tell the client's address in an ID command */
    enum conf_proxy_header proxy_header;
    char *master_user; /* NULL: log in with what the client sent */
    struct secret master_password;
    char master_separator; /* NUL: PLAIN with an authzid; else as user, separator, master */
    /* Of the pools that keep users on one backend, and that this is a member of; borrowed; NULL:
     * there is none. */
    const char *cluster;
    unsigned max_sessions;   /* 0: no limit */
    unsigned logins_at_once; /* further ones wait; 0: no limit */
    struct conf_probe probe;
    char *probe_user; /* a probe logs in; NULL: it does not */
    struct secret probe_password;
};

/* How a pool orders its members for one login; see route/hash.h. */
enum conf_choose {
    CONF_CHOOSE_USER_HASH,
    CONF_CHOOSE_LEAST_SESSIONS,
    CONF_CHOOSE_ROUND_ROBIN,
    CONF_CHOOSE_FIRST
};

struct conf_member {
    char *name;
    const struct conf_backend *backend;
    unsigned weight; /* 0: only when all others have failed */
};

struct conf_pool {
    char *name;
    struct conf_member *members; /* in file order */
    size_t member_count;
    const struct conf_backend **backends; /* the same as a list, for the pool's conf_target */
    enum conf_choose choose;
    bool failover; /* a login may go on to the next member */
    bool one_backend_per_user;
    /* Pools of one cluster share their mail storage: a login name is one user in all of them. Never
     * NULL with one_backend_per_user. */
    char *cluster;
};

/* What a rule points at: a backend, or the members of a pool in file order. */
struct conf_target {
    const struct conf_backend *const *backends;
    size_t backend_count;
    const char *name;
    const struct conf_pool *pool; /* NULL: a backend */
};

struct conf_usermap; /* compact hash table, see conf/usermap.h */

enum conf_rule_kind { CONF_RULE_USERS, CONF_RULE_DOMAINS, CONF_RULE_TO, CONF_RULE_DENY };

struct conf_domain {
    char *name;    /* lower case, without "*." */
    bool wildcard; /* "*.example.net": any proper subdomain */
    struct conf_target target;
    char *login_as; /* template, NULL: the normalised name */
};

struct conf_pattern; /* see conf/pattern.h */

/* What a rule asks for besides its kind; what is absent is not asked for, the rest must all hold.
 */
struct conf_conditions {
    struct conf_pattern *user;
    char **listeners;
    size_t listener_count;
    char **sni; /* lower case; "*.example.net": any proper subdomain */
    size_t sni_count;
    struct cidr *clients;
    size_t client_count;
    bool has_percent;
    unsigned percent; /* 0..100 */
    char *salt;       /* of the percentage; NULL: the name of the rule's target */
};

struct conf_rule {
    enum conf_rule_kind kind;
    unsigned line; /* in routes.json, for explanations */
    struct conf_conditions conditions;
    struct conf_usermap *users;  /* CONF_RULE_USERS: inline "users" or a users_file */
    struct conf_domain *domains; /* CONF_RULE_DOMAINS, in file order */
    size_t domain_count;
    struct strmap *domain_index; /* private to conf/domains.c */
    struct conf_target target;   /* CONF_RULE_TO */
    char *login_as;              /* CONF_RULE_TO: template, NULL: the normalised name */
};

/* The first entry, in file order, that covers `domain` (lower case); NULL if there is none. */
const struct conf_domain *conf_domain_find(const struct conf_rule *rule, struct slice domain);

struct conf_routes {
    char *path;
    struct conf_normalize {
        bool lowercase;       /* ASCII letters of the whole name */
        char *default_domain; /* appended to a name without "@"; NULL: none */
    } normalize;
    struct conf_backend *backends;
    size_t backend_count;
    struct conf_pool *pools;
    size_t pool_count;
    struct conf_target *targets; /* everything a rule may name: the backends, then the pools */
    size_t target_count;
    const struct conf_backend **singles; /* the storage behind the backends' targets */
    struct conf_rule *rules;
    size_t rule_count;
};

/* One finding about a file. `line` is 0 when the whole file is meant. */
struct conf_error {
    char *file;
    unsigned line;
    char *pointer; /* JSON pointer, RFC 6901; "" is the document */
    char *text;    /* what is wrong, what was expected, and a suggestion where there is one */
};

struct conf_errors {
    struct conf_error *list; /* owned */
    size_t count;
};

/* Reads waypost.json and the routing table it names. On success *out holds one reference. On
 * failure *out is untouched and `errors` holds every finding of both files. Does not open
 * certificates, keys or sockets. */
MUST_USE
bool conf_load(const char *path, struct conf **out, struct conf_errors *errors);
/* The same; `files` gets every file that had a part in it, also in a failure. */
MUST_USE
bool conf_load_files(const char *path, struct conf_files *files, struct conf **out,
                     struct conf_errors *errors);

/* The same with `table` in place of the routing table that waypost.json names. */
MUST_USE
bool conf_load_table(const char *path, const char *table, struct conf **out,
                     struct conf_errors *errors);

/* The control socket that waypost.json names, read without the rest, which may be wrong or closed
 * to the caller; he frees *socket. False, with a finding, when there is none. */
MUST_USE
bool conf_control_socket(const char *path, char **socket, struct conf_errors *errors);

/* Where the loader gets its files and its randomness. */
struct conf_source {
    /* Reads a whole file: *text is malloc'ed and becomes the caller's. Returns NULL, or why it
     * could not be read; then *text is untouched. `max` is the largest acceptable size. */
    const char *(*read)(void *ctx, const char *path, size_t max, char **text, size_t *len);
    void *ctx;                /* borrowed */
    uint64_t seed;            /* keys the hash of user names; random in production */
    struct conf_files *files; /* borrowed; gets what is read; NULL: nobody asks */
};
/* conf_load with another source than the disk. */
MUST_USE
bool conf_load_from(const char *path, const struct conf_source *source, struct conf **out,
                    struct conf_errors *errors);

enum conf_document { CONF_WAYPOST_JSON, CONF_ROUTES_JSON };
/* The JSON Schema (draft 2020-12) of a document, made from the tables that read it. The caller
 * frees it. */
char *conf_schema(enum conf_document document);

void conf_errors_clear(struct conf_errors *errors);
/* Adds a finding; text is copied. For checks made above conf (certificates, look-ups). */
void conf_errors_add(struct conf_errors *errors, const char *file, unsigned line,
                     const char *pointer, const char *format, ...) PRINTF(5, 6);

/* Appends "file:line: /pointer: text" without the parts that are absent. */
void conf_error_text(const struct conf_error *error, struct str *out);
/* Finds the line of each finding that has only a pointer, by reading its file again. */
void conf_errors_locate(struct conf_errors *errors);

struct conf *conf_hold(struct conf *conf);
/* Drops the caller's reference and clears *conf; the last one frees the tree, wiping secrets. */
void conf_release(struct conf **conf);
