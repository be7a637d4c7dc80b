/*
 * Finds the command of a request and checks its members against the command's row. Owns nothing.
 */
#include "admin/commands.h"

#include <stdlib.h>
#include <string.h>

#include "waypost/conf/suggest.h"

#define MEMBERS_MAX 4u

struct member {
    const char *name;
    unsigned types; /* bits 1 << json_type */
    bool required;
    const char *expected;
};

#define TEXT   (1u << JSON_STRING)
#define TRUTH  (1u << JSON_TRUE | 1u << JSON_FALSE)
#define NUMBER (1u << JSON_INTEGER)

static const struct member of_user = {
    "user", TEXT, false, "a user name, or a part of one with \"*\" before or behind it"};
static const struct member of_client = {"client", TEXT, false,
                                        "an IP address or a network such as \"192.0.2.0/24\""};
static const struct member of_backend = {"backend", TEXT, false, "the name of a backend"};
static const struct member of_cluster = {"cluster", TEXT, false, "a cluster of the routing table"};
static const struct member the_all = {"all", TRUTH, false, "true or false"};
static const struct member the_user = {"user", TEXT, true, "a user name"};
static const struct member the_backend = {"backend", TEXT, true, "the name of a backend"};
static const struct member the_rate = {"rate", NUMBER, false, DRAIN_RATES};
static const struct member the_duration = {"duration", TEXT, true, HOLD_TIMES};

struct row {
    const char *name;
    bool acts; /* changes something: the log says who asked for what */
    void (*run)(struct control_client *client, const json_t *request);
    const struct member *members[MEMBERS_MAX + 1]; /* NULL-terminated */
};

static const struct row rows[] = {
    {"status", false, command_status, {NULL}},
    {"who", false, command_who, {&of_user, &of_client, &of_backend}},
    {"kick", true, command_kick, {&of_user, &of_client, &of_backend, &the_all}},
    {"reload", true, command_reload, {NULL}},
    {"down", true, command_down, {&the_backend}},
    {"up", true, command_up, {&the_backend}},
    {"drain", true, command_drain, {&the_backend, &the_rate}},
    {"undrain", true, command_undrain, {&the_backend}},
    {"move", true, command_move, {&the_user, &the_backend}},
    {"hold", true, command_hold, {&the_user, &the_duration}},
    {"user", false, command_user, {&the_user, &of_cluster}},
};

static void refuse_unknown(struct control_client *client, const char *name)
{
    char storage[128], list[256];
    struct str hint = STR_ON(storage), known = STR_ON(list);
    struct suggest suggest = suggest_for(slice_str(name));

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        suggest_offer(&suggest, rows[i].name);
        str_addf(&known, "%s%s", i == 0 ? "one of " : ", ", rows[i].name);
    }
    suggest_add(&suggest, &hint);
    client_fail(client, list, "unknown command \"%.64s\"%s", name, storage);
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

static const struct member *find_member(const struct row *row, const char *name)
{
    for (size_t i = 0; row->members[i] != NULL; i++) {
        if (strcmp(row->members[i]->name, name) == 0)
            return row->members[i];
    }
    return NULL;
}

static void refuse_member(struct control_client *client, const struct row *row, const char *name)
{
    char storage[128], list[256];
    struct str hint = STR_ON(storage), known = STR_ON(list);
    struct suggest suggest = suggest_for(slice_str(name));

    for (size_t i = 0; row->members[i] != NULL; i++) {
        suggest_offer(&suggest, row->members[i]->name);
        str_addf(&known, "%s%s", i == 0 ? "members of: " : ", ", row->members[i]->name);
    }
    if (known.len == 0)
        str_add(&known, SLICE("no member but \"command\""));
    suggest_add(&suggest, &hint);
    client_fail(client, list, "unknown member \"%.64s\" of %s%s", name, row->name, storage);
}

/* False: refused. */
static bool check_members(struct control_client *client, const struct row *row,
                          const json_t *request)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)request, name, value)
    {
        const struct member *member = find_member(row, name);
        if (strcmp(name, "command") == 0)
            continue;
        if (member == NULL) {
            refuse_member(client, row, name);
            return false;
        }
        if ((member->types & 1u << json_typeof(value)) == 0) {
            client_fail(client, member->expected, "\"%s\" is of the wrong type", name);
            return false;
        }
    }
    for (size_t i = 0; row->members[i] != NULL; i++) {
        const struct member *member = row->members[i];
        if (member->required && json_object_get(request, member->name) == NULL) {
            client_fail(client, member->expected, "\"%s\" is missing", member->name);
            return false;
        }
    }
    return true;
}

static void note(struct control_client *client, const json_t *request)
{
    const struct log *log = &client_control(client)->supervisor->log;
    char *text = json_dumps(request, JSON_COMPACT);
    struct log_line line;

    if (text != NULL && log_begin(&line, log, LEVEL_INFO, "operator")) {
        log_num(&line, "uid", client_uid(client));
        log_text(&line, "request", slice_str(text));
        log_end(&line);
    }
    free(text);
}

void commands_run(struct control_client *client, const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "command"));
    const struct row *row = name == NULL ? NULL : find_row(name);

    if (name == NULL)
        client_fail(client, "an object such as {\"command\":\"status\"}",
                    "the request has no \"command\"");
    else if (row == NULL)
        refuse_unknown(client, name);
    if (row == NULL || !check_members(client, row, request))
        return;
    if (row->acts)
        note(client, request);
    row->run(client, request);
}
