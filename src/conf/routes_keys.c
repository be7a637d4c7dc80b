/*
 * The keys of routes.json, and what has to hold between them. Tables only; the kinds read.
 */
#include "conf/key.h"
#include "conf/memory.h"
#include "waypost/conf/value.h"

const char *const conf_tls_words[] = {"implicit", "starttls", "none", NULL};
const char *const conf_choose_words[] = {"user-hash", "least-sessions", "round-robin", "first",
                                         NULL};
const char *const conf_forward_words[] = {"same", "plain", "login", "xoauth2", "oauthbearer", NULL};
const char *const conf_identity_words[] = {"id", "proxy-v1", "proxy-v2", NULL};
static const char *const backend_mechanism_words[] = {
    "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-1", "SCRAM-SHA-256", NULL};
static_assert(COUNT_OF(backend_mechanism_words) == CONF_MECH_EXTERNAL + 1,
              "a word for each mechanism but the last, EXTERNAL");

/* ----- backends ----------------------------------------------------------------------------- */

static const struct key pin_element = {.kind = &kind_pin, .size = VALUE_SHA256};
static const struct key source_element = {.kind = &kind_ip, .size = sizeof(struct addr)};
static const struct key hidden_element = {.kind = &kind_hidden, .size = sizeof(char *)};

static const struct key verify_keys[] = {
    {"name", &kind_host_name, FIELD(struct conf_backend, verify_name),
     .help = "DNS name that the backend's certificate must carry; without it, the host of "
             "\"address\""},
    {"ca", &kind_path, FIELD(struct conf_backend, verify_ca),
     .help = "PEM file with the authorities to trust; without it, the system's"},
    {"pin_sha256", &kind_list, FIELD(struct conf_backend, pins),
     ALSO(struct conf_backend, pin_count), .max = 16, .element = &pin_element,
     .help = "SHA-256 hashes of the certificate's public key (SubjectPublicKeyInfo), in base64 or "
             "hexadecimal, one of which must match"},
};
static const struct shape verify_shape = {SHAPE_KEYS(verify_keys)};

/* With a separator inside the name, two readings of "user, separator, master" were possible. */
static void check_master(struct reader *r, const struct place *at, const json_t *object, void *base)
{
    const struct conf_backend *backend = base;
    struct place user = {.up = at, .name = "user"};

    UNUSED(object);
    if (backend->master_user != NULL && backend->master_separator != '\0' &&
        strchr(backend->master_user, backend->master_separator) != NULL)
        fault(r, &user, "the separator \"%c\" stands in the name itself",
              backend->master_separator);
}

static const struct key client_certificate_keys[] = {
    {"chain", &kind_path, FIELD(struct conf_backend, client_chain), .required = true,
     .help = "PEM file with the certificate, followed by its intermediates"},
    {"key", &kind_path, FIELD(struct conf_backend, client_key), .required = true,
     .help = "PEM file with the private key"},
};
static const struct shape client_certificate_shape = {SHAPE_KEYS(client_certificate_keys)};

static const struct key master_keys[] = {
    {"user", &kind_user, FIELD(struct conf_backend, master_user), .required = true,
     .max = LIMIT_USER, .help = "name of the master user at the backend"},
    {"password_file", &kind_secret_file, FIELD(struct conf_backend, master_password),
     .required = true, .help = "file that holds his password, read at start and on reload"},
    {"separator", &kind_separator, FIELD(struct conf_backend, master_separator), .max = 1,
     .help = "log in as user, this character, master user; without it, by PLAIN with the user as "
             "authorization identity"},
};
static const struct shape master_shape = {SHAPE_KEYS(master_keys), .check = check_master};

static const struct key login_keys[] = {
    {"master", &kind_object, .required = true, .shape = &master_shape,
     .help = "a user of the backend who may act as everybody: logs in clients that a certificate "
             "has identified; what has a password or a token is still judged by the backend"},
};
static const struct shape login_shape = {SHAPE_KEYS(login_keys)};

static const struct key backend_keys[] = {
    {"address", &kind_backend_address, FIELD(struct conf_backend, host),
     ALSO(struct conf_backend, port), .required = true, .help = "host and port of the server"},
    {"source_addresses", &kind_list, FIELD(struct conf_backend, sources),
     ALSO(struct conf_backend, source_count), .min = 1, .max = LIMIT_SOURCES,
     .element = &source_element,
     .help = "addresses of this machine to connect from, one of them at random; without it the "
             "system's own choice"},
    {"tls", &kind_word, FIELD(struct conf_backend, tls), .required = true, .words = conf_tls_words,
     .help = "implicit: TLS from the first byte; starttls: STARTTLS or nothing; none: in clear"},
    {"allow_plaintext", &kind_bool, FIELD(struct conf_backend, allow_plaintext),
     .fallback = "false", .help = "consent to \"tls\": \"none\" for a backend on another machine"},
    {"verify", &kind_object, .shape = &verify_shape,
     .help = "how the backend's certificate is verified; it always is"},
    {"client_certificate", &kind_object, .shape = &client_certificate_shape,
     .help = "certificate by which the backend knows Waypost"},
    {"hide_capabilities", &kind_list, FIELD(struct conf_backend, hide_capabilities),
     ALSO(struct conf_backend, hide_count), .max = 100, .element = &hidden_element,
     .help = "capabilities of the backend that clients shall not see"},
    {"auth_forward", &kind_word, FIELD(struct conf_backend, auth_forward), .fallback = "\"same\"",
     .words = conf_forward_words,
     .help = "how passwords and tokens are sent there: each in its own kind, or all by the "
             "mechanism given here"},
    {"pipelining", &kind_bool, FIELD(struct conf_backend, pipelining), .fallback = "true",
     .help = "send a command before the reply to the last one has come"},
    {"mechanisms", &kind_word_set, FIELD(struct conf_backend, mechanisms), .min = 1,
     .words = backend_mechanism_words,
     .help = "SASL mechanisms the backend takes; without it they are learned from the backend"},
    {"identity", &kind_identity, .words = conf_identity_words,
     .help = "how the backend learns the client's address: IMAP ID, or a PROXY header before all "
             "else; without it, not at all"},
    {"login", &kind_login, .shape = &login_shape, .fallback = "\"forward\"",
     .help = "log in with what the client sent, or have a master user for clients that sent only "
             "a certificate"},
    {"max_sessions", &kind_number, FIELD(struct conf_backend, max_sessions), .fallback = "0",
     .max = 10000000,
     .help = "sessions there at the same time, of this Waypost; a login beyond goes to another "
             "member of the pool, or is told to try later; 0: no limit"},
    {"logins_at_once", &kind_number, FIELD(struct conf_backend, logins_at_once), .fallback = "200",
     .max = 1000000,
     .help = "logins that may be under way there at the same time; further ones wait for their "
             "turn; 0: no limit"},
    {"probe", &kind_object, .shape = &backend_probe_shape,
     .help = "how this backend is looked at; what is left out is as in waypost.json"},
};

static void check_plaintext(struct reader *r, const struct place *at, const json_t *object,
                            const struct conf_backend *backend)
{
    static const char *const needless[] = {"verify", "client_certificate"};

    if (!backend->allow_plaintext && !value_is_loopback(slice_str(backend->host)))
        fault(r, at,
              "passwords would cross the network in clear: use TLS, or consent with "
              "\"allow_plaintext\": true");
    for (size_t i = 0; i < COUNT_OF(needless); i++) {
        struct place here = {.up = at, .name = needless[i]};
        if (json_object_get(object, needless[i]) != NULL)
            fault(r, &here, "has no meaning with \"tls\": \"none\"");
    }
}

/* RFC 9525 section 6.1: the reference identity is configured, never what DNS or the peer says. */
static void check_identity(struct reader *r, const struct place *at, const json_t *object,
                           struct conf_backend *backend)
{
    struct place address = {.up = at, .name = "address"};
    const json_t *verify = json_object_get(object, "verify");

    if (backend->verify_name != NULL || json_object_get(verify, "name") != NULL)
        return;
    if (value_is_ip(slice_str(backend->host)))
        fault(r, &address,
              "an address says nothing about the name in the certificate: add \"verify\": "
              "{\"name\": \"imap.example.net\"} with the backend's name");
    else
        backend->verify_name = memory_text(slice_str(backend->host));
}

/* What is declared must allow for the login that is asked for. LOGIN stands for the command, which
 * is no mechanism. */
static void check_mechanisms(struct reader *r, const struct place *at,
                             const struct conf_backend *backend)
{
    static const enum conf_mechanism forced[] = {
        [CONF_FORWARD_PLAIN] = CONF_MECH_PLAIN,
        [CONF_FORWARD_XOAUTH2] = CONF_MECH_XOAUTH2,
        [CONF_FORWARD_OAUTHBEARER] = CONF_MECH_OAUTHBEARER,
    };
    enum conf_forward forward = backend->auth_forward;
    struct place auth_forward = {.up = at, .name = "auth_forward"};
    struct place login = {.up = at, .name = "login"};

    if (forward != CONF_FORWARD_SAME && forward != CONF_FORWARD_LOGIN &&
        !backend->mechanisms[forced[forward]])
        fault(r, &auth_forward, "this mechanism is not among \"mechanisms\"");
    if (backend->master_user != NULL && backend->master_separator == '\0' &&
        !backend->mechanisms[CONF_MECH_PLAIN])
        fault(r, &login,
              "a master user without \"separator\" needs PLAIN, which is not among "
              "\"mechanisms\"");
}

/* RFC 4616 section 2: an authorization identity fits PLAIN, and no other login that has a
 * password. */
static void check_forward(struct reader *r, const struct place *at,
                          const struct conf_backend *backend)
{
    struct place auth_forward = {.up = at, .name = "auth_forward"};

    if (backend->auth_forward == CONF_FORWARD_LOGIN && backend->master_user != NULL &&
        backend->master_separator == '\0')
        fault(r, &auth_forward, "a master user without \"separator\" needs PLAIN");
}

/* A host name may have addresses of either family; only a dial can tell. */
static void check_sources(struct reader *r, const struct place *at,
                          const struct conf_backend *backend)
{
    struct place sources = {.up = at, .name = "source_addresses"};
    struct addr host;
    size_t i = 0;

    if (backend->source_count == 0 || !addr_parse(slice_str(backend->host), &host))
        return;
    while (i < backend->source_count && addr_is_v4(&backend->sources[i]) != addr_is_v4(&host))
        i++;
    if (i == backend->source_count)
        fault(r, &sources, "no %s address to connect to \"%s\" from",
              addr_is_v4(&host) ? "IPv4" : "IPv6", backend->host);
}

static void check_backend(struct reader *r, const struct place *at, const json_t *object,
                          void *base)
{
    struct conf_backend *backend = base;

    probe_inherit(backend, &r->conf->probe, object);
    backend->mechanisms_declared = json_object_get(object, "mechanisms") != NULL;
    if (backend->mechanisms_declared)
        check_mechanisms(r, at, backend);
    check_forward(r, at, backend);
    if (backend->host == NULL)
        return;
    check_sources(r, at, backend);
    if (backend->tls == CONF_TLS_NONE)
        check_plaintext(r, at, object, backend);
    else
        check_identity(r, at, object, backend);
}

static const struct shape backend_shape = {SHAPE_KEYS(backend_keys), .check = check_backend};
static const struct key backend_element = {.kind = &kind_object,
                                           .size = sizeof(struct conf_backend),
                                           .max = LIMIT_NAME,
                                           .shape = &backend_shape};
static_assert(offsetof(struct conf_backend, name) == 0, "kind_map puts the name first");

/* ----- pools -------------------------------------------------------------------------------- */

static const struct key member_element = {
    .kind = &kind_member, .size = sizeof(struct conf_member), .min = 0, .max = 1000};
static_assert(offsetof(struct conf_member, name) == 0, "kind_map puts the name first");

static const struct key pool_keys[] = {
    {"members", &kind_members, FIELD(struct conf_pool, members),
     ALSO(struct conf_pool, member_count), .required = true, .min = 1, .max = 1000,
     .element = &member_element,
     .help = "the backends of the pool, each with its share of the users, by custom 100; with 0 "
             "it has none and stands in when all others fail"},
    {"choose", &kind_word, FIELD(struct conf_pool, choose), .fallback = "\"user-hash\"",
     .words = conf_choose_words,
     .help = "user-hash: each user has his own order of members, the same on every machine; "
             "least-sessions: those with the fewest sessions for their weight first; round-robin: "
             "in turn; first: in the order of the file"},
    {"one_backend_per_user", &kind_bool, FIELD(struct conf_pool, one_backend_per_user),
     .fallback = "false",
     .help = "while a user has a session, each new login of his goes to the same backend, whatever "
             "the choice would be now; see \"placement\" in waypost.json"},
    {"cluster", &kind_text, FIELD(struct conf_pool, cluster), .max = LIMIT_NAME,
     .help = "pools with the same cluster share their mail storage, and one_backend_per_user holds "
             "across them; without it, the name of the pool"},
    {"failover", &kind_bool, FIELD(struct conf_pool, failover), .fallback = "true",
     .help = "try the next member when one cannot be reached or does not answer; never after it "
             "has judged a password"},
};
static const struct shape pool_shape = {SHAPE_KEYS(pool_keys), .check = check_pool};
static const struct key pool_element = {.kind = &kind_object,
                                        .size = sizeof(struct conf_pool),
                                        .max = LIMIT_NAME,
                                        .shape = &pool_shape};
static_assert(offsetof(struct conf_pool, name) == 0, "kind_map puts the name first");

/* ----- the document ------------------------------------------------------------------------- */

static const struct key normalize_keys[] = {
    {"lowercase", &kind_bool, FIELD(struct conf_normalize, lowercase), .fallback = "true",
     .help = "turn ASCII letters of user names to lower case"},
    {"default_domain", &kind_host_name, FIELD(struct conf_normalize, default_domain),
     .help = "domain of user names without \"@\""},
};

static void check_normalize(struct reader *r, const struct place *at, const json_t *object,
                            void *base)
{
    struct conf_normalize *normalize = base;
    UNUSED(r);
    UNUSED(at);
    UNUSED(object);
    for (char *c = normalize->default_domain; normalize->lowercase && c != NULL && *c != '\0'; c++)
        *c = ascii_lower(*c);
}

static const struct shape normalize_shape = {SHAPE_KEYS(normalize_keys), .check = check_normalize};

/* In this order, because rules name pools and backends, pools name backends, and users are
 * normalized. */
static const struct key routes_keys[] = {
    {"$schema", &kind_ignored, .help = "for editors; Waypost ignores it"},
    {"normalize", &kind_object, FIELD(struct conf_routes, normalize), .fallback = "{}",
     .shape = &normalize_shape, .help = "the form in which user names are compared and sent"},
    {"backends", &kind_map, FIELD(struct conf_routes, backends),
     ALSO(struct conf_routes, backend_count), .required = true, .min = 1, .max = 65535,
     .element = &backend_element, .help = "the IMAP servers, by name"},
    {"pools", &kind_map, FIELD(struct conf_routes, pools), ALSO(struct conf_routes, pool_count),
     .min = 0, .max = 10000, .element = &pool_element,
     .help = "groups of backends that share their users, by name"},
    {"routes", &kind_list, FIELD(struct conf_routes, rules), ALSO(struct conf_routes, rule_count),
     .required = true, .min = 1, .max = 100000, .element = &rule_element,
     .help = "rules; the first that matches a user decides, and without one the user is refused"},
};

/* A client that has shown a certificate has no password to pass on. */
static void check_external(struct reader *r, const struct place *at,
                           const struct conf_routes *table)
{
    struct place backends = {.up = at, .name = "backends"};
    size_t i = 0;

    if (!r->conf->auth.mechanisms[CONF_MECH_EXTERNAL])
        return;
    while (i < table->backend_count && table->backends[i].master_user == NULL)
        i++;
    if (i == table->backend_count)
        fault(r, &backends,
              "clients may log in by certificate (EXTERNAL), but no backend has a \"login\" with "
              "a master user to do it for them");
}

/* A backend that serves two clusters would be two places in one, and the promise of neither. */
static void check_clusters(struct reader *r, const struct place *at, struct conf_routes *table)
{
    struct place pools = {.up = at, .name = "pools"};

    for (size_t i = 0; i < table->pool_count; i++) {
        const struct conf_pool *pool = &table->pools[i];
        struct place here = {.up = &pools, .name = pool->name};
        for (size_t m = 0; pool->one_backend_per_user && m < pool->member_count; m++) {
            const struct conf_backend *member = pool->members[m].backend;
            if (member == NULL)
                continue;
            struct conf_backend *backend = &table->backends[member->index];
            if (backend->cluster == NULL)
                backend->cluster = pool->cluster;
            else if (strcmp(backend->cluster, pool->cluster) != 0)
                fault(r, &here,
                      "backend \"%s\" already keeps users for cluster \"%s\": pools that share "
                      "backends need the same \"cluster\"",
                      backend->name, backend->cluster);
        }
    }
}

static void check_routes(struct reader *r, const struct place *at, const json_t *object, void *base)
{
    struct conf_routes *table = base;
    struct place routes = {.up = at, .name = "routes"};
    UNUSED(object);

    for (size_t i = 0; i < table->backend_count; i++)
        table->backends[i].index = i;
    check_clusters(r, at, table);
    check_reachable(r, &routes, table);
    check_external(r, at, table);
    check_loops(r, at);
}

const struct shape routes_shape = {SHAPE_KEYS(routes_keys), .check = check_routes};
