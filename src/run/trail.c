/*
 * Follows a path as path_resolution(7) does, but tells of every symbolic link. Owns nothing, opens
 * nothing. A path that is too long or goes in circles ends where the kernel would refuse it.
 */
#include "run/trail.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "waypost/base/str.h"

#define LINKS_MAX 40u /* as in the kernel */

struct trail {
    char here[PATH_MAX]; /* a directory without symbolic links; "" is the working one */
    char rest[PATH_MAX]; /* relative to it */
    char at[PATH_MAX];   /* the step's own path */
    char name[NAME_MAX + 1];
    unsigned links;
};

/* Takes the next name off the rest. False at the end. */
static bool next_name(struct trail *t)
{
    size_t slashes = strspn(t->rest, "/");
    size_t len = strcspn(t->rest + slashes, "/");

    if (len == 0 || len > NAME_MAX)
        return false;
    memcpy(t->name, t->rest + slashes, len);
    t->name[len] = '\0';
    memmove(t->rest, t->rest + slashes + len, strlen(t->rest + slashes + len) + 1);
    return true;
}

/* `from` is inside none of the others. */
static bool join(char to[PATH_MAX], const char *first, const char *middle, const char *last)
{
    struct str text = str_on(to, PATH_MAX);

    str_addf(&text, "%s%s%s", first, middle, last);
    return !text.overflow;
}

/* The link's target takes the place of its name. */
static bool take_link(struct trail *t)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t len = readlink(t->at, target, sizeof(target) - 1);

    if (len <= 0 || ++t->links > LINKS_MAX)
        return false;
    target[len] = '\0';
    if (!join(rest, target, "/", t->rest))
        return false;
    memcpy(t->rest, rest, sizeof(rest));
    if (target[0] == '/')
        memcpy(t->here, "/", 2);
    return true;
}

/* One name further. False where the trail ends. */
static bool advance(struct trail *t, trail_step *step, void *ctx)
{
    const char *slash = t->here[0] == '\0' || strcmp(t->here, "/") == 0 ? "" : "/";
    bool last = t->rest[strspn(t->rest, "/")] == '\0';
    struct stat st;
    bool there;

    if (!join(t->at, t->here, slash, t->name))
        return false;
    there = lstat(t->at, &st) == 0;
    if (last || !there || S_ISLNK(st.st_mode))
        step(ctx, t->here[0] == '\0' ? "." : t->here, t->name);
    if (there && S_ISLNK(st.st_mode))
        return take_link(t);
    memcpy(t->here, t->at, sizeof(t->here));
    return there && !last;
}

void trail_follow(const char *path, trail_step *step, void *ctx)
{
    struct trail t = {.links = 0};
    bool on = join(t.rest, path, "", "");

    if (path[0] == '/')
        memcpy(t.here, "/", 2);
    while (on && next_name(&t))
        on = advance(&t, step, ctx);
}
