/*
 * The keys of "probe", which stand in both files: in waypost.json with defaults, in a backend
 * without, because there those of waypost.json are the defaults. Tables only; the kinds read.
 */
#include "conf/key.h"

static const char interval_help[] =
    "between two looks at a backend, and less while it fails; the first ones follow the start and "
    "each reload; \"0s\" turns them off";
static const char timeout_help[] = "for one look, from connecting to the last answer";
static const char rise_help[] = "looks in a row that must succeed before a backend is up again";
static const char fall_help[] =
    "looks in a row, or logins of clients in a row, that must fail before a backend is down";

static const struct key probe_keys[] = {
    {"interval", &kind_duration, FIELD(struct conf_probe, interval), .fallback = "\"60s\"",
     .max = 24 * HOUR, .help = interval_help},
    {"timeout", &kind_duration, FIELD(struct conf_probe, timeout), .fallback = "\"10s\"",
     .min = MOMENT, .max = HOUR, .help = timeout_help},
    {"rise", &kind_number, FIELD(struct conf_probe, rise), .fallback = "2", .min = 1, .max = 1000,
     .help = rise_help},
    {"fall", &kind_number, FIELD(struct conf_probe, fall), .fallback = "3", .min = 1, .max = 1000,
     .help = fall_help},
};
const struct shape probe_shape = {SHAPE_KEYS(probe_keys)};

static const struct key probe_login_keys[] = {
    {"user", &kind_user, FIELD(struct conf_backend, probe_user), .required = true,
     .max = LIMIT_USER, .help = "name of an account for this alone"},
    {"password_file", &kind_secret_file, FIELD(struct conf_backend, probe_password),
     .required = true, .help = "file that holds its password, read at start and on reload"},
};
static const struct shape probe_login_shape = {SHAPE_KEYS(probe_login_keys)};

static const struct key backend_probe_keys[] = {
    {"interval", &kind_duration, FIELD(struct conf_backend, probe.interval), .max = 24 * HOUR,
     .help = interval_help},
    {"timeout", &kind_duration, FIELD(struct conf_backend, probe.timeout), .min = MOMENT,
     .max = HOUR, .help = timeout_help},
    {"rise", &kind_number, FIELD(struct conf_backend, probe.rise), .min = 1, .max = 1000,
     .help = rise_help},
    {"fall", &kind_number, FIELD(struct conf_backend, probe.fall), .min = 1, .max = 1000,
     .help = fall_help},
    {"login", &kind_object, .shape = &probe_login_shape,
     .help =
         "log in at each look; while that is refused, for whatever reason, the backend is down"},
};
const struct shape backend_probe_shape = {SHAPE_KEYS(backend_probe_keys)};

static bool says(const json_t *object, const char *key)
{
    return json_object_get(json_object_get(object, "probe"), key) != NULL;
}

void probe_inherit(struct conf_backend *backend, const struct conf_probe *defaults,
                   const json_t *object)
{
    if (!says(object, "interval"))
        backend->probe.interval = defaults->interval;
    if (!says(object, "timeout"))
        backend->probe.timeout = defaults->timeout;
    if (!says(object, "rise"))
        backend->probe.rise = defaults->rise;
    if (!says(object, "fall"))
        backend->probe.fall = defaults->fall;
}
