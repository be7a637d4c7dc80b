/*
 * Loads both documents into one tree. Owns the tree until it is handed out; owns each file's text
 * and JSON only while reading it. Reads files through the caller's source.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/key.h"
#include "conf/memory.h"

/* ----- one document ------------------------------------------------------------------------- */

static void on_duplicate(void *ctx, struct slice pointer, unsigned line, unsigned first)
{
    struct reader *r = ctx;
    char text[LIMIT_POINTER];
    struct str copy = STR_ON(text);

    if (++r->faults > LIMIT_CONF_ERRORS)
        return;
    str_add(&copy, pointer);
    conf_errors_add(r->errors, r->file, line, text, "duplicate key, first seen on line %u", first);
}

static void read_document(struct reader *r, struct slice text, const struct shape *shape,
                          void *base)
{
    struct place root = {0};
    json_error_t error;

    if (slice_starts(text, SLICE("\xEF\xBB\xBF"))) {
        conf_errors_add(r->errors, r->file, 1, "",
                        "the file begins with a byte order mark (RFC 8259 section 8.1): save it "
                        "as UTF-8 without BOM");
        return;
    }
    json_t *json = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, &error);
    if (json == NULL) {
        conf_errors_add(r->errors, r->file, error.line < 1 ? 1 : (unsigned)error.line, "",
                        "not JSON: %s", error.text);
        return;
    }
    positions_init(&r->lines, text, on_duplicate, r);
    if (json_is_object(json))
        read_object(r, &root, shape, json, base);
    else
        fault(r, &root, "expected an object");
    if (r->faults > LIMIT_CONF_ERRORS)
        conf_errors_add(r->errors, r->file, 0, "", "%zu more findings are not shown",
                        r->faults - LIMIT_CONF_ERRORS);
    positions_fini(&r->lines);
    json_decref(json);
}

static void load_document(struct reader *r, const struct shape *shape, void *base)
{
    char *text;
    size_t len;
    const char *problem = reader_load(r, r->file, LIMIT_CONF_FILE, &text, &len);

    if (problem != NULL) {
        conf_errors_add(r->errors, r->file, 0, "", "cannot be read: %s", problem);
        return;
    }
    read_document(r, slice_of(text, len), shape, base);
    free(text);
}

/* ----- both --------------------------------------------------------------------------------- */

static void load_waypost(const struct conf_source *source, struct conf *conf,
                         struct conf_errors *errors)
{
    struct reader r = {.file = conf->path, .source = source, .errors = errors, .conf = conf};
    load_document(&r, &waypost_shape, conf);
}

static void load_routes(const struct conf_source *source, struct conf *conf,
                        struct conf_errors *errors)
{
    struct conf_routes *routes = memory_new(1, sizeof(*routes));
    struct reader r = {.source = source, .errors = errors, .conf = conf, .routes = routes};

    conf->routes = routes;
    routes->path = memory_text(slice_str(conf->routing_table));
    r.file = routes->path;
    strmap_init(&r.target_names, source->seed);
    load_document(&r, &routes_shape, routes);
    strmap_fini(&r.target_names);
}

/* waypost.json, then routes.json, then users files. */
static unsigned rank(const struct conf *conf, const char *file)
{
    if (strcmp(file, conf->path) == 0)
        return 0;
    return conf->routing_table != NULL && strcmp(file, conf->routing_table) == 0 ? 1 : 2;
}

/* Findings about a file as a whole follow those about its lines, hence the wrap-around of 0. */
static bool comes_after(const struct conf *conf, const struct conf_error *a,
                        const struct conf_error *b)
{
    unsigned rank_a = rank(conf, a->file), rank_b = rank(conf, b->file);
    int files = rank_a == rank_b ? strcmp(a->file, b->file) : rank_a > rank_b ? 1 : -1;
    return files == 0 ? a->line - 1 > b->line - 1 : files > 0;
}

/* Into the order in which somebody mends them; stable, and their number is bounded. */
static void sort_errors(const struct conf *conf, struct conf_error *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct conf_error e = list[i];
        size_t to = i;
        for (; to > 0 && comes_after(conf, &list[to - 1], &e); to--)
            list[to] = list[to - 1];
        list[to] = e;
    }
}

/* `table` is NULL or stands for the routing table that the first document names. */
static bool load_both(const char *path, const char *table, const struct conf_source *source,
                      struct conf **out, struct conf_errors *errors)
{
    size_t before = errors->count;
    struct conf *conf = memory_new(1, sizeof(*conf));

    atomic_init(&conf->references, 1);
    conf->path = memory_text(slice_str(path));
    load_waypost(source, conf, errors);
    if (table != NULL && conf->routing_table != NULL) {
        free(conf->routing_table);
        conf->routing_table = memory_text(slice_str(table));
    }
    /* Without it the first document was not readable at all. */
    if (conf->routing_table != NULL)
        load_routes(source, conf, errors);
    if (errors->count != before) {
        sort_errors(conf, errors->list + before, errors->count - before);
        conf_release(&conf);
        return false;
    }
    *out = conf;
    return true;
}

bool conf_load_from(const char *path, const struct conf_source *source, struct conf **out,
                    struct conf_errors *errors)
{
    return load_both(path, NULL, source, out, errors);
}

/* ----- from disk ---------------------------------------------------------------------------- */

/* Reads `len` bytes and requires that the file ends there. */
static const char *read_all(int fd, char *text, size_t len)
{
    size_t done = 0;

    while (done <= len) {
        /* One byte more than expected, to notice a file that grows. */
        ssize_t n = read(fd, text + done, len + 1 - done);
        if (n < 0 && errno != EINTR)
            return strerror(errno);
        if (n == 0)
            return done == len ? NULL : "it became shorter while being read";
        done += n < 0 ? 0 : (size_t)n;
    }
    return "it grew while being read";
}

static const char *read_open(int fd, size_t max, char **text, size_t *len)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a regular file";
    if ((uintmax_t)st.st_size > max)
        return "too large";
    char *bytes = malloc((size_t)st.st_size + 1);
    if (bytes == NULL)
        return strerror(ENOMEM);
    const char *problem = read_all(fd, bytes, (size_t)st.st_size);
    if (problem != NULL) {
        free(bytes);
        return problem;
    }
    *text = bytes;
    *len = (size_t)st.st_size;
    return NULL;
}

static const char *read_file(void *ctx, const char *path, size_t max, char **text, size_t *len)
{
    /* Without O_NONBLOCK a FIFO would hold up the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    UNUSED(ctx);
    if (fd < 0)
        return strerror(errno);
    const char *problem = read_open(fd, max, text, len);
    close(fd);
    return problem;
}

static bool read_seed(uint64_t *seed)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool done = fd >= 0 && read(fd, seed, sizeof(*seed)) == (ssize_t)sizeof(*seed);

    if (fd >= 0)
        close(fd);
    return done;
}

static bool load_disk(const char *path, const char *table, struct conf_files *files,
                      struct conf **out, struct conf_errors *errors)
{
    struct conf_source source = {.read = read_file, .files = files};

    if (!read_seed(&source.seed)) {
        conf_errors_add(errors, "/dev/urandom", 0, "", "cannot be read: %s", strerror(errno));
        return false;
    }
    return load_both(path, table, &source, out, errors);
}

bool conf_load_table(const char *path, const char *table, struct conf **out,
                     struct conf_errors *errors)
{
    return load_disk(path, table, NULL, out, errors);
}

bool conf_load_files(const char *path, struct conf_files *files, struct conf **out,
                     struct conf_errors *errors)
{
    return load_disk(path, NULL, files, out, errors);
}

bool conf_load(const char *path, struct conf **out, struct conf_errors *errors)
{
    return load_disk(path, NULL, NULL, out, errors);
}

static void ignore_duplicate(void *ctx, struct slice pointer, unsigned line, unsigned first)
{
    UNUSED(ctx);
    UNUSED(pointer);
    UNUSED(line);
    UNUSED(first);
}

static void locate(struct conf_error *error)
{
    struct positions lines;
    char *text = NULL;
    size_t len = 0;

    if (read_file(NULL, error->file, LIMIT_CONF_FILE, &text, &len) != NULL)
        return;
    json_t *json = json_loadb(text, len, 0, NULL);
    if (json != NULL) {
        positions_init(&lines, slice_of(text, len), ignore_duplicate, NULL);
        error->line = positions_line(&lines, slice_str(error->pointer));
        positions_fini(&lines);
    }
    json_decref(json);
    free(text);
}

void conf_errors_locate(struct conf_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        if (errors->list[i].line == 0 && errors->list[i].pointer[0] != '\0')
            locate(&errors->list[i]);
    }
}
