/*
 * The files that a configuration is read from, each as it was just before that: whoever looks at
 * them again knows whether the same load would read something else by now.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What tells one state of a file from another without reading it; symbolic links are followed. A
 * change of access counts, because it may be what a load failed for. */
struct conf_stamp {
    uint64_t device, inode, size, mode, owner, group;
    int64_t seconds, nanoseconds; /* when it was written */
    int error;                    /* why it cannot be looked at; else 0 */
};

struct conf_files {
    struct conf_file {
        char *path; /* owned */
        struct conf_stamp stamp;
    } * list; /* owned */
    size_t count;
};

/* Looks at the file now, unless it is in the list already. */
void conf_files_add(struct conf_files *files, const char *path);
/* The first file that is not what it was, or NULL; borrowed from the list. */
const char *conf_files_changed(const struct conf_files *files);
void conf_files_clear(struct conf_files *files);
