/*
 * The keys of waypost.json, and what has to hold between them. Tables only; the kinds read.
 */
#include <unistd.h>

#include "conf/key.h"
#include "conf/memory.h"
#include "waypost/conf/value.h"

static const char *const client_tls_words[] = {"implicit", "starttls", NULL};
static const char *const version_words[] = {"1.2", "1.3", NULL};
static const char *const client_auth_words[] = {"none", "request", "require", NULL};
static const char *const unknown_sni_words[] = {"default", "refuse", NULL};
static const char *const mechanism_words[] = {
    "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-1", "SCRAM-SHA-256", "EXTERNAL", NULL};
static const char *const certificate_words[] = {"email", "cn", NULL};
static const char *const format_words[] = {"text", "json", NULL};
static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};

static_assert(COUNT_OF(mechanism_words) == CONF_MECH_COUNT + 1, "a word for each mechanism");
static_assert(COUNT_OF(level_words) == LEVEL_COUNT + 1, "a word for each level");

/* ----- listeners ---------------------------------------------------------------------------- */

static const struct key proxy_protocol_keys[] = {
    {"from", &kind_list, FIELD(struct conf_proxy_protocol, from),
     ALSO(struct conf_proxy_protocol, from_count), .required = true, .min = 1, .max = 1000,
     .element = &cidr_element,
     .help = "addresses of the load balancers; a header is read from them alone"},
    {"required", &kind_bool, FIELD(struct conf_proxy_protocol, required), .fallback = "true",
     .help = "whether connections without a header, or from other addresses, are refused; if not, "
             "they are served like any client"},
    {"timeout", &kind_duration, FIELD(struct conf_proxy_protocol, timeout), .fallback = "\"3s\"",
     .min = MOMENT, .max = MINUTE, .help = "time for the header to arrive"},
};

static void check_proxy_protocol(struct reader *r, const struct place *at, const json_t *object,
                                 void *base)
{
    struct conf_proxy_protocol *proxy = base;
    UNUSED(r);
    UNUSED(at);
    UNUSED(object);
    proxy->enabled = true;
}

static const struct shape proxy_protocol_shape = {SHAPE_KEYS(proxy_protocol_keys),
                                                  .check = check_proxy_protocol};

static const struct key listener_keys[] = {
    {"name", &kind_text, FIELD(struct conf_listener, name), .required = true, .max = LIMIT_NAME,
     .help = "name of the listener in logs and commands"},
    {"address", &kind_listen_address, FIELD(struct conf_listener, host),
     ALSO(struct conf_listener, port), .required = true,
     .help = "IP address and port to listen on; [::] means every address of both families"},
    {"tls", &kind_word, FIELD(struct conf_listener, tls), .required = true,
     .words = client_tls_words,
     .help = "implicit: TLS from the first byte (port 993); starttls: IMAP STARTTLS (port 143)"},
    {"proxy_protocol", &kind_object, FIELD(struct conf_listener, proxy_protocol),
     .shape = &proxy_protocol_shape,
     .help = "expect a PROXY protocol header from load balancers in front"},
};
static const struct shape listener_shape = {SHAPE_KEYS(listener_keys)};
static const struct key listener_element = {
    .kind = &kind_object, .size = sizeof(struct conf_listener), .shape = &listener_shape};

/* ----- TLS ---------------------------------------------------------------------------------- */

static const struct key certificate_keys[] = {
    {"chain", &kind_path, FIELD(struct conf_certificate, chain), .required = true,
     .help = "PEM file with the certificate, followed by its intermediates"},
    {"key", &kind_path, FIELD(struct conf_certificate, key), .required = true,
     .help = "PEM file with the private key"},
};
static const struct shape certificate_shape = {SHAPE_KEYS(certificate_keys)};
static const struct key certificate_element = {
    .kind = &kind_object, .size = sizeof(struct conf_certificate), .shape = &certificate_shape};

static const struct key tls_keys[] = {
    {"certificates", &kind_list, FIELD(struct conf_tls, certificates),
     ALSO(struct conf_tls, certificate_count), .required = true, .min = 1, .max = 10000,
     .element = &certificate_element,
     .help = "certificates, chosen by the server name the client asks for; the first is the "
             "default"},
    {"min_version", &kind_word, FIELD(struct conf_tls, min_version), .fallback = "\"1.2\"",
     .words = version_words, .help = "oldest TLS version that is accepted"},
    {"ciphers", &kind_text, FIELD(struct conf_tls, ciphers), .max = 1024,
     .help = "OpenSSL cipher list for TLS 1.2"},
    {"ciphersuites", &kind_text, FIELD(struct conf_tls, ciphersuites), .max = 1024,
     .help = "OpenSSL cipher suites for TLS 1.3"},
    {"groups", &kind_text, FIELD(struct conf_tls, groups), .max = 1024,
     .help = "OpenSSL list of key exchange groups, preferred first"},
    {"unknown_sni", &kind_word, FIELD(struct conf_tls, refuse_unknown_sni),
     .fallback = "\"default\"", .words = unknown_sni_words,
     .help = "what a client gets that asks for a name no certificate has: the default "
             "certificate, or a refusal"},
    {"client_ca", &kind_path, FIELD(struct conf_tls, client_ca),
     .help = "PEM file with the authorities of client certificates"},
    {"client_auth", &kind_word, FIELD(struct conf_tls, client_auth), .fallback = "\"none\"",
     .words = client_auth_words, .help = "whether clients are asked for a certificate"},
    {"ticket_keys", &kind_path, FIELD(struct conf_tls, ticket_keys),
     .help = "file with the keys of session tickets, to share them between machines"},
};

static void check_tls(struct reader *r, const struct place *at, const json_t *object, void *base)
{
    const struct conf_tls *tls = base;
    struct place client_auth = {.up = at, .name = "client_auth"};

    if (tls->client_auth != CONF_CLIENT_AUTH_NONE && json_object_get(object, "client_ca") == NULL)
        fault(r, &client_auth, "client certificates cannot be verified without \"client_ca\"");
}

static const struct shape tls_shape = {SHAPE_KEYS(tls_keys), .check = check_tls};

/* ----- auth, limits, timeouts, keepalive, log ----------------------------------------------- */

static const struct key penalty_keys[] = {
    {"first", &kind_duration, FIELD(struct conf_auth, penalty_first), .fallback = "\"2s\"",
     .max = 5 * MINUTE, .help = "delay of the answer to the first failed login"},
    {"max", &kind_duration, FIELD(struct conf_auth, penalty_max), .fallback = "\"15s\"",
     .max = 5 * MINUTE, .help = "the delay doubles with each failure up to this"},
};

static void check_penalty(struct reader *r, const struct place *at, const json_t *object,
                          void *base)
{
    const struct conf_auth *auth = base;
    UNUSED(object);
    if (auth->penalty_first > auth->penalty_max)
        fault(r, at, "\"first\" is longer than \"max\"");
}

static const struct shape penalty_shape = {SHAPE_KEYS(penalty_keys), .check = check_penalty};

static const struct key auth_keys[] = {
    {"mechanisms", &kind_word_set, FIELD(struct conf_auth, mechanisms),
     .fallback = "[\"PLAIN\", \"LOGIN\"]", .min = 1, .words = mechanism_words,
     .help = "SASL mechanisms offered to clients"},
    {"allow_authzid", &kind_bool, FIELD(struct conf_auth, allow_authzid), .fallback = "false",
     .help = "let a user ask to act as another one (SASL authorization identity), which the "
             "backend permits or not; otherwise, and always with EXTERNAL, Waypost refuses"},
    {"oauth_claim", &kind_text, FIELD(struct conf_auth, oauth_claim), .max = 256,
     .help = "claim of the token, such as \"email\", that names the user when an OAUTHBEARER "
             "client does not; without it such a login is refused"},
    {"certificate_name", &kind_word_set, .offset = offsetof(struct conf_auth, external_email),
     .size = sizeof(bool[2]), .fallback = "[\"email\", \"cn\"]", .min = 1,
     .words = certificate_words,
     .help = "where the user name of EXTERNAL stands in the client's certificate: the e-mail "
             "address among the alternative names, else the common name"},
    {"attempts_per_connection", &kind_number, FIELD(struct conf_auth, attempts_per_connection),
     .fallback = "3", .min = 1, .max = 100, .help = "failed logins before the client is cut off"},
    {"penalty", &kind_object, .shape = &penalty_shape, .fallback = "{}",
     .help = "how long the answer to a failed login is held back"},
};
static_assert(offsetof(struct conf_auth, external_cn) ==
                  offsetof(struct conf_auth, external_email) + sizeof(bool),
              "certificate_name fills both");
static const struct shape auth_shape = {SHAPE_KEYS(auth_keys)};

static const struct key control_keys[] = {
    {"socket", &kind_socket, FIELD(struct conf_control, socket), .required = true,
     .help =
         "path of the socket for status, who, kick and the other commands to the running proxy; "
         "only its own user and root may use it"},
    {"group", &kind_text, FIELD(struct conf_control, group), .max = LIMIT_NAME,
     .help = "system group whose members may use it, too; the proxy's user must be one of them"},
};

static void check_control(struct reader *r, const struct place *at, const json_t *object,
                          void *base)
{
    const struct conf_control *control = base;
    struct place socket = {.up = at, .name = "socket"};

    UNUSED(object);
    if (control->socket != NULL && strlen(control->socket) > LIMIT_SOCKET_PATH)
        fault(r, &socket, "the path of a socket has at most %u bytes, this one has %zu: \"%s\"",
              LIMIT_SOCKET_PATH, strlen(control->socket), control->socket);
}

static const struct shape control_shape = {SHAPE_KEYS(control_keys), .check = check_control};

static const struct key log_keys[] = {
    {"format", &kind_word, FIELD(struct conf_log, format), .fallback = "\"text\"",
     .words = format_words, .help = "how a line of the log is written"},
    {"level", &kind_word, FIELD(struct conf_log, level), .fallback = "\"info\"",
     .words = level_words, .help = "the least important level that is logged"},
    {"to", &kind_log_target, FIELD(struct conf_log, to), .fallback = "\"stderr\"",
     .help = "where the log goes"},
};
static const struct shape log_shape = {SHAPE_KEYS(log_keys)};

/* ----- the document ------------------------------------------------------------------------- */

static const struct key waypost_keys[] = {
    {"$schema", &kind_ignored, .help = "for editors; Waypost ignores it"},
    {"workers", &kind_number, FIELD(struct conf, workers), .fallback = "0", .max = 1024,
     .help = "threads; 0 means one per CPU"},
    {"user", &kind_text, FIELD(struct conf, user), .max = LIMIT_NAME,
     .help = "system user to become after the ports are open"},
    {"group", &kind_text, FIELD(struct conf, group), .max = LIMIT_NAME,
     .help = "system group to become; without it, the user's own"},
    {"watch", &kind_bool, FIELD(struct conf, watch), .fallback = "false",
     .help = "reload by itself when a file that the configuration is made of has changed"},
    {"hostname", &kind_host_name, FIELD(struct conf, hostname),
     .help = "name in the greeting; without it, the machine's own"},
    {"routing_table", &kind_path, FIELD(struct conf, routing_table), .fallback = "\"routes.json\"",
     .help = "the routing table, see routes.json(5)"},
    {"listeners", &kind_list, FIELD(struct conf, listeners), ALSO(struct conf, listener_count),
     .required = true, .min = 1, .max = 1000, .element = &listener_element,
     .help = "where clients connect"},
    {"tls", &kind_object, FIELD(struct conf, tls), .required = true, .shape = &tls_shape,
     .help = "TLS towards clients"},
    {"auth", &kind_object, FIELD(struct conf, auth), .fallback = "{}", .shape = &auth_shape,
     .help = "how clients log in"},
    {"capabilities", &kind_caps, FIELD(struct conf, capabilities), .fallback = "\"auto\"",
     .help = "IMAP capabilities announced before login: chosen by Waypost, or a list"},
    {"limits", &kind_object, FIELD(struct conf, limits), .fallback = "{}", .shape = &limits_shape,
     .help = "bounds on what clients may use"},
    {"timeouts", &kind_object, FIELD(struct conf, timeouts), .fallback = "{}",
     .shape = &timeouts_shape, .help = "deadlines"},
    {"keepalive", &kind_object, FIELD(struct conf, keepalive), .fallback = "{}",
     .shape = &keepalive_shape, .help = "TCP keepalive intervals"},
    {"placement", &kind_object, FIELD(struct conf, placement), .fallback = "{}",
     .shape = &placement_shape, .help = "pools with one_backend_per_user"},
    {"probe", &kind_object, FIELD(struct conf, probe), .fallback = "{}", .shape = &probe_shape,
     .help = "how backends are looked at, unless one says otherwise"},
    {"control", &kind_object, FIELD(struct conf, control), .shape = &control_shape,
     .help = "commands to the running proxy; without it there is no such socket"},
    {"log", &kind_object, FIELD(struct conf, log), .fallback = "{}", .shape = &log_shape,
     .help = "logging"},
};

static bool same_address(const struct conf_listener *a, const struct conf_listener *b)
{
    struct addr x, y;
    return a->port == b->port && a->host != NULL && b->host != NULL &&
           addr_parse(slice_str(a->host), &x) && addr_parse(slice_str(b->host), &y) &&
           memcmp(x.ip, y.ip, sizeof(x.ip)) == 0;
}

static bool same_name(const struct conf_listener *a, const struct conf_listener *b)
{
    return a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0;
}

static void check_listener_pair(struct reader *r, const struct place *listeners,
                                const struct conf *conf, size_t first, size_t second)
{
    const struct conf_listener *a = &conf->listeners[first], *b = &conf->listeners[second];
    struct place element = {.up = listeners, .index = second};
    struct place name = {.up = &element, .name = "name"};
    struct place address = {.up = &element, .name = "address"};

    if (same_name(a, b))
        fault(r, &name, "listener %zu has the same name", first);
    if (same_address(a, b))
        fault(r, &address, "listener %zu has the same address", first);
}

/* The machine's name, if it is fit for a greeting. */
static char *machine_name(void)
{
    char name[LIMIT_HOST + 1] = "";

    if (gethostname(name, sizeof(name) - 1) != 0 || !value_is_host_name(slice_str(name)))
        return memory_text(SLICE("localhost"));
    return memory_text(slice_str(name));
}

static void check_external(struct reader *r, const struct place *at, const struct conf *conf)
{
    struct place auth = {.up = at, .name = "auth"};
    struct place mechanisms = {.up = &auth, .name = "mechanisms"};

    if (conf->auth.mechanisms[CONF_MECH_EXTERNAL] && conf->tls.client_auth == CONF_CLIENT_AUTH_NONE)
        fault(r, &mechanisms,
              "\"EXTERNAL\" needs certificates of the clients: set \"client_auth\" under "
              "\"tls\" to \"request\" or \"require\"");
}

static void check_waypost(struct reader *r, const struct place *at, const json_t *object,
                          void *base)
{
    struct conf *conf = base;
    struct place listeners = {.up = at, .name = "listeners"};
    UNUSED(object);

    if (conf->hostname == NULL)
        conf->hostname = machine_name();
    for (size_t second = 1; second < conf->listener_count; second++) {
        for (size_t first = 0; first < second; first++)
            check_listener_pair(r, &listeners, conf, first, second);
    }
    check_external(r, at, conf);
}

const struct shape waypost_shape = {SHAPE_KEYS(waypost_keys), .check = check_waypost};
