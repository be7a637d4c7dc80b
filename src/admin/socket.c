/*
 * Makes the control socket. A lock on its directory, held while the name is claimed, keeps two
 * proxies that start at once from removing each other's. Owns nothing that lasts but the name.
 */
#include "admin/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_TRIES   50u /* somebody may hold the lock out of malice: it must not keep us waiting */
#define LOCK_WAIT_US 10000u

static bool complain(struct str *why, const char *path, const char *problem)
{
    str_addf(why, "control socket %s: %s", path, problem);
    return false;
}

static const char *directory_of(const char *path, char out[LIMIT_SOCKET_PATH + 1])
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return ".";
    if (slash == path)
        return "/";
    snprintf(out, LIMIT_SOCKET_PATH + 1, "%.*s", (int)(slash - path), path);
    return out;
}

/* -1 when there is no such directory: bind will say so. Closing it unlocks. */
static int lock_directory(const char *path)
{
    char storage[LIMIT_SOCKET_PATH + 1];
    const char *directory = directory_of(path, storage);
    int fd;

    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0; i++)
        usleep(LOCK_WAIT_US);
    return fd;
}

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    /* Linux gives the name the mode of the descriptor, whatever wider one the umask would allow. */
    if (fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Whether what has that name is a socket where nobody listens any more. */
static bool abandoned(const struct sockaddr_un *name, struct str *why)
{
    struct stat status;
    int fd, error;

    if (lstat(name->sun_path, &status) != 0)
        return complain(why, name->sun_path, strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return complain(why, name->sun_path, "exists and is no socket");
    fd = new_socket();
    if (fd < 0)
        return complain(why, name->sun_path, strerror(errno));
    error = connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0 ? 0 : errno;
    close(fd);
    if (error == ECONNREFUSED)
        return true;
    if (error == 0 || error == EAGAIN)
        return complain(why, name->sun_path, "another process listens there");
    return complain(why, name->sun_path, strerror(error));
}

static bool claim(int fd, const struct sockaddr_un *name, struct str *why)
{
    const struct sockaddr *address = (const struct sockaddr *)name;

    if (bind(fd, address, sizeof(*name)) == 0)
        return true;
    if (errno != EADDRINUSE)
        return complain(why, name->sun_path, strerror(errno));
    if (!abandoned(name, why))
        return false;
    if (unlink(name->sun_path) == 0 && bind(fd, address, sizeof(*name)) == 0)
        return true;
    return complain(why, name->sun_path, strerror(errno));
}

/* In this order: as long as the group is the wrong one, it may not connect. */
static bool admit(const char *path, const char *group, struct str *why)
{
    const struct group *entry;

    if (group == NULL)
        return true;
    entry = getgrnam(group);
    if (entry == NULL) {
        str_addf(why, "control socket %s: group \"%s\" does not exist", path, group);
        return false;
    }
    if (lchown(path, (uid_t)-1, entry->gr_gid) == 0 &&
        chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == 0)
        return true;
    str_addf(why, "control socket %s: group \"%s\": %s", path, group, strerror(errno));
    return false;
}

static bool note(const char *path, struct socket_name *out)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return false;
    *out = (struct socket_name){.device = status.st_dev, .inode = status.st_ino};
    snprintf(out->path, sizeof(out->path), "%s", path);
    return true;
}

bool socket_name_open(const char *path, const char *group, int *fd, struct socket_name *out,
                      struct str *why)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int lock, made;
    bool good;

    if (strlen(path) >= sizeof(name.sun_path))
        return complain(why, path, strerror(ENAMETOOLONG));
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    made = new_socket();
    if (made < 0)
        return complain(why, path, strerror(errno));
    lock = lock_directory(path);
    good = claim(made, &name, why);
    if (good) {
        good = (listen(made, LIMIT_CONTROL_CLIENTS) == 0 && note(path, out)) ||
               complain(why, path, strerror(errno));
        good = good && admit(path, group, why);
        if (!good)
            unlink(path);
    }
    if (lock >= 0)
        close(lock);
    if (!good) {
        close(made);
        return false;
    }
    *fd = made;
    return true;
}

void socket_name_remove(const struct socket_name *name)
{
    struct socket_name found;

    if (note(name->path, &found) && found.device == name->device && found.inode == name->inode)
        unlink(name->path);
}
