/*
 * Limits, privileges, core dumps, service manager. Owns nothing and keeps no state. The protocol of
 * NOTIFY_SOCKET is the one of sd_notify(3): one datagram, so no library is needed for it.
 */
#include "run/process.h"

#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LARGE (1 << 20) /* bytes */

void process_return_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
}

void process_harden(void)
{
    struct rlimit none = {0, 0};

    signal(SIGPIPE, SIG_IGN);
    /* A sandbox may forbid the first; then it has set the limit itself. */
    (void)setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* The leak check of a sanitizer build attaches to the process. */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

uint64_t process_raise_descriptors(uint64_t need)
{
    struct rlimit limit, wanted;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
        return need;
    wanted.rlim_cur = need;
    wanted.rlim_max = limit.rlim_max > need ? limit.rlim_max : need; /* root may raise that too */
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return need;
    wanted.rlim_cur = wanted.rlim_max = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &wanted);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < need ? limit.rlim_cur : need;
}

static bool find_group(const char *name, gid_t *gid, struct str *why)
{
    const struct group *group = getgrnam(name);

    if (group == NULL) {
        str_addf(why, "group \"%s\" does not exist", name);
        return false;
    }
    *gid = group->gr_gid;
    return true;
}

/* The calls themselves, in the only order that works. */
static bool become(const char *user, uid_t uid, gid_t gid, struct str *why)
{
    const char *call = NULL;

    if (user != NULL && initgroups(user, gid) != 0)
        call = "initgroups";
    else if (user == NULL && setgroups(0, NULL) != 0)
        call = "setgroups";
    else if (setresgid(gid, gid, gid) != 0)
        call = "setresgid";
    else if (user != NULL && setresuid(uid, uid, uid) != 0)
        call = "setresuid";
    if (call != NULL) {
        str_addf(why, "%s: %s", call, strerror(errno));
        return false;
    }
    if (uid != 0 && setuid(0) == 0) {
        str_addf(why, "root could be regained after becoming \"%s\"", user);
        return false;
    }
    return true;
}

bool process_become(const char *user, const char *group, struct str *why)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (user != NULL) {
        const struct passwd *passwd = getpwnam(user);
        if (passwd == NULL) {
            str_addf(why, "user \"%s\" does not exist", user);
            return false;
        }
        uid = passwd->pw_uid;
        gid = passwd->pw_gid;
    }
    if (group != NULL && !find_group(group, &gid, why))
        return false;
    /* Started as the right one already: an ordinary user could not even ask. */
    if (uid == geteuid() && gid == getegid() && (uid != 0 || user == NULL))
        return true;
    return become(user, uid, gid, why);
}

void process_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t len = path == NULL ? 0 : strlen(path);
    int fd;

    if (len == 0 || len >= sizeof(name.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(name.sun_path, path, len);
    if (path[0] == '@')
        name.sun_path[0] = '\0'; /* the abstract namespace, unix(7) */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&name,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}
