/*
 * A listening Unix socket that nobody else can connect to, not even for a moment.
 */
#pragma once

#include <sys/types.h>

#include "waypost/base/limits.h"
#include "waypost/base/str.h"

/* The socket's name in the file system. */
struct socket_name {
    char path[LIMIT_SOCKET_PATH + 1];
    dev_t device;
    ino_t inode;
};

/* Listens at `path`, mode 0600, or 0660 for `group` unless that is NULL. What a dead process left
 * there is replaced; a socket where somebody listens, and anything that is no socket, is refused.
 * The descriptor is the caller's. False with the reason in `why`. */
MUST_USE
bool socket_name_open(const char *path, const char *group, int *fd, struct socket_name *out,
                      struct str *why);
/* Removes the name if it is still this socket's. The descriptor must be open still. */
void socket_name_remove(const struct socket_name *name);
