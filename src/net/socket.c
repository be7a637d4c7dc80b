/*
 * Raw socket helpers. Owns nothing: descriptors belong to the caller. Never blocks, never logs.
 * Keepalive: RFC 1122 section 4.2.3.6; user timeout: RFC 5482. IP_BIND_ADDRESS_NO_PORT: ip(7),
 * Linux 4.2; it is of level IPPROTO_IP for IPv6 too.
 */
#include "waypost/net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define BACKLOG     4096 /* the kernel clips it to net.core.somaxconn */
#define PROBES      4u
#define MS_PER_S    1000u
#define ADDR_V4_POS 12u /* of the IPv4 address inside its mapped form */

struct addr socket_addr(const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;
        return addr_from_bytes(&in->sin_addr, sizeof(in->sin_addr), ntohs(in->sin_port));
    }
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)from;
        return addr_from_bytes(&in6->sin6_addr, sizeof(in6->sin6_addr), ntohs(in6->sin6_port));
    }
    return (struct addr){.port = 0};
}

socklen_t socket_name(const struct addr *from, struct sockaddr_storage *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;

    memset(out, 0, sizeof(*out));
    if (addr_is_v4(from)) {
        in->sin_family = AF_INET;
        in->sin_port = htons(from->port);
        memcpy(&in->sin_addr, from->ip + ADDR_V4_POS, sizeof(in->sin_addr));
        return sizeof(*in);
    }
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(from->port);
    memcpy(&in6->sin6_addr, from->ip, sizeof(in6->sin6_addr));
    return sizeof(*in6);
}

struct addr socket_local(int fd)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(name);

    (void)getsockname(fd, (struct sockaddr *)&name, &len);
    return socket_addr(&name);
}

struct addr socket_remote(int fd)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(name);

    (void)getpeername(fd, (struct sockaddr *)&name, &len);
    return socket_addr(&name);
}

static void set(int fd, int level, int option, unsigned value)
{
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

void socket_tune(int fd, uint64_t keepalive)
{
    uint64_t idle = keepalive / MS_PER_S > 0 ? keepalive / MS_PER_S : 1;
    uint64_t interval = idle / PROBES > 0 ? idle / PROBES : 1;

    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (keepalive == 0)
        return;
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (unsigned)idle);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, (unsigned)interval);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (unsigned)((idle + PROBES * interval) * MS_PER_S));
}

static int bind_late(int fd, const struct addr *from)
{
    struct sockaddr_storage name;
    socklen_t len = socket_name(from, &name);

    set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    return bind(fd, (struct sockaddr *)&name, len) == 0 ? 0 : errno;
}

static int bind_and_connect(int fd, const struct addr *from, const struct addr *to)
{
    struct sockaddr_storage name;
    socklen_t len = socket_name(to, &name);
    int error = from == NULL ? 0 : bind_late(fd, from);

    if (error != 0)
        return error;
    return connect(fd, (struct sockaddr *)&name, len) == 0 || errno == EINPROGRESS ? 0 : errno;
}

static int open_for(const struct addr *addr)
{
    return socket(addr_is_v4(addr) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                  0);
}

int socket_try_source(const struct addr *from)
{
    int sock = open_for(from);
    int error = sock < 0 ? errno : bind_late(sock, from);

    if (sock >= 0)
        close(sock);
    return error;
}

int socket_connect(const struct addr *from, const struct addr *to, int *fd)
{
    int sock =
        socket(addr_is_v4(to) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = sock < 0 ? errno : bind_and_connect(sock, from, to);

    if (error == 0)
        *fd = sock;
    else if (sock >= 0)
        close(sock);
    return error;
}

static int bind_and_listen(int fd, const struct sockaddr_storage *name)
{
    bool v6 = name->ss_family == AF_INET6;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)name;

    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    /* Only the wildcard serves IPv4 too; RFC 3493 section 5.3. */
    if (v6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) ? 0 : 1);
    if (bind(fd, (const struct sockaddr *)name,
             v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) != 0)
        return errno;
    return listen(fd, BACKLOG) == 0 ? 0 : errno;
}

int socket_listen(const char *host, uint16_t port, int *fd)
{
    struct sockaddr_storage name;
    int sock, error;

    memset(&name, 0, sizeof(name));
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)&name) != 0 &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)&name) != 0)
        return EINVAL;
    sock = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return errno;
    error = bind_and_listen(sock, &name);
    if (error != 0) {
        close(sock);
        return error;
    }
    *fd = sock;
    return 0;
}
