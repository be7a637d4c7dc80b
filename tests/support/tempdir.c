/*
 * Makes, changes and removes files of one directory.
 */
#include "support/tempdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

void tempdir_open(struct tempdir *dir)
{
    snprintf(dir->path, sizeof(dir->path), "/tmp/waypost-test-XXXXXX");
    must(mkdtemp(dir->path) != NULL, dir->path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tempdir_close(struct tempdir *dir)
{
    must(nftw(dir->path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, dir->path);
}

const char *tempdir_path(struct tempdir *dir, const char *name)
{
    snprintf(dir->text, sizeof(dir->text), "%s/%s", dir->path, name);
    return dir->text;
}

void tempdir_write(struct tempdir *dir, const char *name, const char *text)
{
    FILE *file = fopen(tempdir_path(dir, name), "w");

    must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, name);
}

void tempdir_put(struct tempdir *dir, const char *name, const char *text)
{
    char beside[NAME_MAX];

    snprintf(beside, sizeof(beside), "%s.new", name);
    tempdir_write(dir, beside, text);
    tempdir_move(dir, beside, name);
}

void tempdir_mkdir(struct tempdir *dir, const char *name)
{
    must(mkdir(tempdir_path(dir, name), 0755) == 0, name);
}

void tempdir_link(struct tempdir *dir, const char *target, const char *name)
{
    char beside[NAME_MAX];

    snprintf(beside, sizeof(beside), "%s.new", name);
    must(symlink(target, tempdir_path(dir, beside)) == 0, beside);
    tempdir_move(dir, beside, name);
}

void tempdir_move(struct tempdir *dir, const char *from, const char *to)
{
    char source[PATH_MAX];

    snprintf(source, sizeof(source), "%s", tempdir_path(dir, from));
    must(rename(source, tempdir_path(dir, to)) == 0, to);
}
