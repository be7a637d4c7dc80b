/*
 * A directory for the length of one test. Any failure ends the test program.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct tempdir {
    char path[64];
    char text[PATH_MAX];
};

void tempdir_open(struct tempdir *dir);
/* Removes it with all that is in it. */
void tempdir_close(struct tempdir *dir);
/* DIR/name, valid until the next call. */
const char *tempdir_path(struct tempdir *dir, const char *name);
/* Writes a file beside it and renames that over it, as careful programs do. */
void tempdir_put(struct tempdir *dir, const char *name, const char *text);
/* Writes into the file as it is. */
void tempdir_write(struct tempdir *dir, const char *name, const char *text);
void tempdir_mkdir(struct tempdir *dir, const char *name);
/* Makes `name` a symbolic link; one that is there is replaced as `ln -sfn` does. */
void tempdir_link(struct tempdir *dir, const char *target, const char *name);
void tempdir_move(struct tempdir *dir, const char *from, const char *to);
