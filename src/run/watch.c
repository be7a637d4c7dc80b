/*
 * Watches the directories in which something about the files can change, and among what happens
 * there only the names that matter: a log file beside the configuration wakes nobody for long. Owns
 * the watches and the list of files; reads none of them. Symbolic links are followed anew whenever
 * something has happened to a name.
 */
#include "run/watch.h"

#include <stdlib.h>
#include <string.h>

#include "run/trail.h"
#include "waypost/base/limits.h"

const struct watch_times watch_times = {
    .quiet = 500, .patience = 15000, .slow = 60000, .fast = 5000};

struct watch_name {
    struct watch_name *next; /* owned */
    char text[];
};

/* One directory. */
struct watch_place {
    uv_fs_event_t event;
    struct list node;
    struct watch *home;       /* borrowed */
    struct watch_name *names; /* owned */
    char path[];
};

/* --- places ----------------------------------------------------------------------------------- */

static void on_place_closed(uv_handle_t *handle)
{
    struct watch_place *place = container_of(handle, struct watch_place, event);
    struct watch_name *name = place->names, *next;

    for (; name != NULL; name = next) {
        next = name->next;
        free(name);
    }
    free(place);
}

static void close_places(struct list *places)
{
    while (!list_empty(places)) {
        struct watch_place *place = container_of(places->next, struct watch_place, node);
        list_unlink(&place->node);
        uv_close((uv_handle_t *)&place->event, on_place_closed);
    }
}

static void blind(struct watch *w, const char *directory, const char *why)
{
    struct log_line line;

    if (w->blind)
        return;
    w->blind = true;
    if (!log_begin(&line, w->log, LEVEL_WARN, "watch_polls"))
        return;
    log_text(&line, "directory", slice_str(directory));
    log_text(&line, "error", slice_str(why));
    log_num(&line, "ms", w->times->fast);
    log_end(&line);
}

static void stir(struct watch *w);

/* A name that says nothing is the kernel's; the directory's own is told when it moves or goes. */
static bool matters(const struct watch_place *place, const char *name)
{
    const char *slash = strrchr(place->path, '/');
    bool found = name == NULL || strcmp(name, slash == NULL ? place->path : slash + 1) == 0;

    for (const struct watch_name *n = place->names; n != NULL && !found; n = n->next)
        found = strcmp(n->text, name) == 0;
    return found;
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct watch_place *place = container_of(event, struct watch_place, event);

    UNUSED(events);
    if (status != 0)
        blind(place->home, place->path, uv_strerror(status));
    if (status != 0 || matters(place, name))
        stir(place->home);
}

static struct watch_place *find_place(const struct watch *w, const char *directory)
{
    for (struct list *node = w->places.next; node != &w->places; node = node->next) {
        struct watch_place *place = container_of(node, struct watch_place, node);
        if (strcmp(place->path, directory) == 0)
            return place;
    }
    return NULL;
}

/* NULL when there is no watch to be had. */
static struct watch_place *new_place(struct watch *w, const char *directory)
{
    size_t size = strlen(directory) + 1;
    struct watch_place *place = NULL;
    int error = UV_ENOSPC;

    if (w->place_count < LIMIT_WATCHES) {
        place = calloc(1, sizeof(*place) + size);
        error = UV_ENOMEM;
    }
    if (place != NULL) {
        memcpy(place->path, directory, size);
        place->home = w;
        uv_fs_event_init(w->loop, &place->event);
        list_init(&place->node);
        error = uv_fs_event_start(&place->event, on_event, directory, 0);
        if (error == 0) {
            list_append(&w->places, &place->node);
            w->place_count++;
            return place;
        }
        uv_close((uv_handle_t *)&place->event, on_place_closed);
    }
    blind(w, directory, uv_strerror(error));
    return NULL;
}

static void add_name(struct watch *w, struct watch_place *place, const char *text)
{
    size_t size = strlen(text) + 1;
    struct watch_name *name;

    for (name = place->names; name != NULL; name = name->next) {
        if (strcmp(name->text, text) == 0)
            return;
    }
    name = malloc(sizeof(*name) + size);
    if (name == NULL) {
        blind(w, place->path, uv_strerror(UV_ENOMEM));
        return;
    }
    memcpy(name->text, text, size);
    name->next = place->names;
    place->names = name;
}

static void on_step(void *ctx, const char *directory, const char *name)
{
    struct watch *w = ctx;
    struct watch_place *place = find_place(w, directory);

    if (place == NULL)
        place = new_place(w, directory);
    if (place != NULL)
        add_name(w, place, name);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void on_look(uv_timer_t *timer);

/* The new watches are there before the old ones go. */
static void follow(struct watch *w)
{
    struct list old;
    uint64_t every;

    list_init(&old);
    while (!list_empty(&w->places)) {
        struct list *node = w->places.next;
        list_unlink(node);
        list_append(&old, node);
    }
    w->place_count = 0;
    for (size_t i = 0; i < w->files.count; i++)
        trail_follow(w->files.list[i].path, on_step, w);
    close_places(&old);
    every = w->blind ? w->times->fast : w->times->slow;
    uv_timer_start(&w->look, on_look, every, every);
}

static void on_quiet(uv_timer_t *timer)
{
    struct watch *w = container_of(timer, struct watch, quiet);
    const char *path;

    w->since = 0;
    follow(w);
    path = conf_files_changed(&w->files);
    if (path == NULL)
        return;
    w->told = true;
    w->changed(w, path);
}

/* Something has happened: look when it is over. */
static void stir(struct watch *w)
{
    uint64_t now = uv_now(w->loop), end;

    if (w->told)
        return;
    if (w->since == 0)
        w->since = now;
    end = w->since + w->times->patience;
    if (now + w->times->quiet < end)
        end = now + w->times->quiet;
    uv_timer_start(&w->quiet, on_quiet, end > now ? end - now : 0, 0);
}

static void on_look(uv_timer_t *timer)
{
    struct watch *w = container_of(timer, struct watch, look);

    if (!w->told && conf_files_changed(&w->files) != NULL)
        stir(w);
}

/* --- for the supervisor ----------------------------------------------------------------------- */

void watch_init(struct watch *w, uv_loop_t *loop, const struct log *log, watch_changed *changed)
{
    *w = (struct watch){.loop = loop, .log = log, .times = &watch_times, .changed = changed};
    list_init(&w->places);
    uv_timer_init(loop, &w->quiet);
    uv_timer_init(loop, &w->look);
}

void watch_use(struct watch *w, struct conf_files *files, bool on)
{
    conf_files_clear(&w->files);
    w->files = *files;
    *files = (struct conf_files){.list = NULL};
    w->told = false;
    w->blind = false;
    w->since = 0;
    uv_timer_stop(&w->quiet);
    if (!on) {
        uv_timer_stop(&w->look);
        close_places(&w->places);
        return;
    }
    follow(w);
    on_look(&w->look);
}

void watch_close(struct watch *w)
{
    close_places(&w->places);
    uv_close((uv_handle_t *)&w->quiet, NULL);
    uv_close((uv_handle_t *)&w->look, NULL);
    conf_files_clear(&w->files);
}
