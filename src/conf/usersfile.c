/*
 * Reads a users file: user TAB target [TAB login_as], one per line; empty lines and lines that
 * begin with # are skipped, a CR before the line end is ignored. Borrows the reader; owns the
 * file's text while reading.
 */
#include <stdlib.h>

#include "conf/usermap.h"
#include "waypost/conf/username.h"

struct users_reader {
    struct reader *r;
    const char *path;
    struct conf_usermap *map;
    unsigned line, faults;
};

/* A finding about the current line. */
static void line_fault(struct users_reader *u, const char *problem, struct slice what)
{
    char storage[LIMIT_LOG_TEXT];
    struct str text = STR_ON(storage);

    if (++u->faults > LIMIT_USERS_ERRORS)
        return;
    str_addf(&text, "%s", problem);
    if (what.len > 0)
        str_addf(&text, ", found \"%.*s\"", SLICE_ARG(slice_take(what, LIMIT_NAME)));
    conf_errors_add(u->r->errors, u->path, u->line, "", "%s", storage);
}

static void unknown_target(struct users_reader *u, struct slice name)
{
    char storage[LIMIT_LOG_TEXT];
    struct str text = STR_ON(storage);

    /* What will not be shown is not worth a search for the nearest name. */
    if (name.len == 0)
        str_add(&text, SLICE("expected user TAB backend or pool [TAB login_as]"));
    else if (u->faults < LIMIT_USERS_ERRORS)
        target_missing(u->r, name, &text);
    line_fault(u, storage, SLICE(""));
}

static void read_line(struct users_reader *u, struct slice line)
{
    char storage[LIMIT_USER + 1];
    struct str user = STR_ON(storage);
    struct slice rest = line;
    struct slice name = slice_cut(&rest, '\t');
    struct slice target_name = slice_cut(&rest, '\t');
    const struct conf_target *target = target_find(u->r, target_name);

    if (target == NULL) {
        unknown_target(u, target_name);
        return;
    }
    if (!username_normalize(&u->r->routes->normalize, name, &user)) {
        line_fault(u, "expected a user name before the first tab", name);
        return;
    }
    if (rest.len > 0 && !username_template_legal(rest, NULL)) {
        line_fault(u, "expected a login name of text, {user}, {local} and {domain}", rest);
        return;
    }
    enum strmap_result result = usermap_add(u->map, str_slice(&user), rest, target);
    if (result == STRMAP_TAKEN)
        line_fault(u, "this user has been listed before", str_slice(&user));
    else if (result == STRMAP_FULL)
        line_fault(u, "too many users for the memory of this machine", SLICE(""));
}

static void read_lines(struct users_reader *u, struct slice text)
{
    if (slice_starts(text, SLICE("\xEF\xBB\xBF"))) {
        u->line = 1;
        line_fault(u, "the file begins with a byte order mark: save it as UTF-8 without BOM",
                   SLICE(""));
        return;
    }
    while (text.len > 0) {
        struct slice line = slice_cut(&text, '\n');
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        u->line++;
        if (line.len > 0 && line.ptr[0] != '#')
            read_line(u, line);
    }
    if (u->faults > LIMIT_USERS_ERRORS)
        conf_errors_add(u->r->errors, u->path, 0, "", "%u more lines of this file are wrong",
                        u->faults - LIMIT_USERS_ERRORS);
}

void usersfile_read(struct reader *r, const struct place *at, const char *path,
                    struct conf_usermap *map)
{
    struct users_reader u = {.r = r, .path = path, .map = map};
    char *text;
    size_t len;
    const char *problem = reader_load(r, path, LIMIT_USERS_FILE, &text, &len);

    if (problem != NULL) {
        fault(r, at, "cannot read %s: %s", path, problem);
        return;
    }
    read_lines(&u, slice_of(text, len));
    free(text);
    usermap_trim(map);
}
