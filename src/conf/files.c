/*
 * Remembers files by what stat(2) says. Owns the paths; never opens a file.
 */
#include "waypost/conf/files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/memory.h"

static struct conf_stamp look(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return (struct conf_stamp){.error = errno};
    return (struct conf_stamp){
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = (uint64_t)st.st_size,
        .mode = st.st_mode,
        .owner = st.st_uid,
        .group = st.st_gid,
        .seconds = st.st_mtim.tv_sec,
        .nanoseconds = st.st_mtim.tv_nsec,
    };
}

static bool same(const struct conf_stamp *a, const struct conf_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mode == b->mode && a->owner == b->owner && a->group == b->group &&
           a->seconds == b->seconds && a->nanoseconds == b->nanoseconds && a->error == b->error;
}

void conf_files_add(struct conf_files *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->list[i].path, path) == 0)
            return;
    }
    files->list = memory_grow(files->list, files->count + 1, sizeof(*files->list));
    files->list[files->count++] =
        (struct conf_file){.path = memory_text(slice_str(path)), .stamp = look(path)};
}

const char *conf_files_changed(const struct conf_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct conf_stamp now = look(files->list[i].path);
        if (!same(&now, &files->list[i].stamp))
            return files->list[i].path;
    }
    return NULL;
}

void conf_files_clear(struct conf_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->list[i].path);
    free(files->list);
    *files = (struct conf_files){.list = NULL};
}
