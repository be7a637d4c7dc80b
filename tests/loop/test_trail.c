/*
 * What has to be watched for a path, with symbolic links where people put them.
 */
#include "run/trail.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/tempdir.h"
#include "waypost/base/str.h"

static struct tempdir dir;
static char seen[8192];
static struct str steps;

static void setup(void)
{
    tempdir_open(&dir);
    tempdir_mkdir(&dir, "live");
    tempdir_mkdir(&dir, "archive");
    tempdir_write(&dir, "archive/chain1.pem", "");
    tempdir_link(&dir, "../archive/chain1.pem", "live/chain.pem");
}

static void teardown(void)
{
    tempdir_close(&dir);
}

TestSuite(trail, .init = setup, .fini = teardown);

static void on_step(void *ctx, const char *directory, const char *name)
{
    size_t len = strlen(dir.path);

    (void)ctx;
    if (strncmp(directory, dir.path, len) == 0)
        directory += directory[len] == '/' ? len + 1 : len;
    str_addf(&steps, "%s:%s ", directory, name);
}

/* Directories are shown as seen from the test's own. */
static const char *trail(const char *path)
{
    steps = STR_ON(seen);
    seen[0] = '\0';
    trail_follow(path, on_step, NULL);
    cr_assert_not(steps.overflow);
    return seen;
}

static const char *trail_in(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", tempdir_path(&dir, name));
    return trail(path);
}

Test(trail, a_plain_file_is_one_step)
{
    cr_expect_str_eq(trail_in("archive/chain1.pem"), "archive:chain1.pem ");
    cr_expect_str_eq(trail_in("archive//chain1.pem"), "archive:chain1.pem ");
    cr_expect_str_eq(trail_in("./archive/../live/../archive/chain1.pem"),
                     "./archive/../live/../archive:chain1.pem ");
    cr_expect_str_eq(trail("/"), "");
    cr_expect_str_eq(trail(""), "");
    cr_expect_str_eq(trail("/no-such-file-here"), "/:no-such-file-here ");
}

Test(trail, certbot)
{
    cr_expect_str_eq(trail_in("live/chain.pem"), "live:chain.pem live/../archive:chain1.pem ");
}

Test(trail, config_map)
{
    tempdir_mkdir(&dir, "map");
    tempdir_mkdir(&dir, "map/..2026_1");
    tempdir_write(&dir, "map/..2026_1/waypost.json", "");
    tempdir_link(&dir, "..2026_1", "map/..data");
    tempdir_link(&dir, "..data/waypost.json", "map/waypost.json");
    cr_expect_str_eq(trail_in("map/waypost.json"),
                     "map:waypost.json map:..data map/..2026_1:waypost.json ");
}

Test(trail, an_absolute_link_among_the_directories)
{
    char target[PATH_MAX];

    snprintf(target, sizeof(target), "%s", tempdir_path(&dir, "archive"));
    tempdir_link(&dir, target, "current");
    cr_expect_str_eq(trail_in("current/chain1.pem"), ":current archive:chain1.pem ");
}

Test(trail, what_is_missing_is_the_last_step)
{
    cr_expect_str_eq(trail_in("archive/chain2.pem"), "archive:chain2.pem ");
    cr_expect_str_eq(trail_in("nowhere/at/all.pem"), ":nowhere ");
    tempdir_link(&dir, "../archive/chain2.pem", "live/chain.pem");
    cr_expect_str_eq(trail_in("live/chain.pem"), "live:chain.pem live/../archive:chain2.pem ");
    cr_expect_str_eq(trail_in("archive/chain1.pem/below"), "archive/chain1.pem:below ",
                     "a file is no directory, and might become one");
}

Test(trail, circles_end)
{
    tempdir_link(&dir, "b", "a");
    tempdir_link(&dir, "a", "b");
    cr_expect_eq(strncmp(trail_in("a"), ":a :b :a ", 9), 0, "%s", seen);
}

Test(trail, relative_to_where_we_are)
{
    cr_assert_eq(chdir(dir.path), 0);
    cr_expect_str_eq(trail("archive"), ".:archive ");
    cr_expect_str_eq(trail("live/chain.pem"), "live:chain.pem live/../archive:chain1.pem ");
    cr_assert_eq(chdir("/"), 0);
}

Test(trail, paths_that_are_too_long)
{
    static char path[3 * PATH_MAX];

    memset(path, 'x', sizeof(path) - 1);
    cr_expect_str_eq(trail(path), "");
    for (size_t i = 0; i < sizeof(path) - 1; i += 2)
        path[i] = '/';
    cr_expect_str_eq(trail(path), "");
    path[NAME_MAX + 2] = '\0';
    memset(path, 'x', NAME_MAX + 2);
    cr_expect_str_eq(trail(path), "");
}
