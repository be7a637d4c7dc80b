/*
 * Loopback sockets for tests. Never leaves 127.0.0.1, never uses a fixed port.
 */
#include "support/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int tcp_bind(uint16_t *port, int share)
{
    struct sockaddr_in name = loopback(0);
    socklen_t len = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0, "socket");
    must(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &share, sizeof(share)) == 0, "SO_REUSEPORT");
    must(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0, "bind");
    must(getsockname(fd, (struct sockaddr *)&name, &len) == 0, "getsockname");
    *port = ntohs(name.sin_port);
    return fd;
}

static void unblock(int fd)
{
    must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0, "fcntl");
}

int tcp_refusing(uint16_t *port)
{
    return tcp_bind(port, 0);
}

int tcp_reserve(uint16_t *port)
{
    return tcp_bind(port, 1);
}

int tcp_listen(int backlog, uint16_t *port)
{
    int fd = tcp_bind(port, 0);

    must(listen(fd, backlog) == 0, "listen");
    unblock(fd);
    return fd;
}

int tcp_listen_at(const char *address, uint16_t port)
{
    struct sockaddr_in name = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    must(inet_pton(AF_INET, address, &name.sin_addr) == 1, address);
    must(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0, "bind");
    must(listen(fd, 8) == 0, "listen");
    return fd;
}

int tcp_connect(uint16_t port)
{
    struct sockaddr_in name = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    must(fd >= 0, "socket");
    must(connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 || errno == EINPROGRESS,
         "connect");
    return fd;
}

void tcp_pair(int fds[2])
{
    uint16_t port;
    int listener = tcp_listen(1, &port);

    fcntl(listener, F_SETFL, 0); /* the accept below waits */
    fds[0] = tcp_connect(port);
    fds[1] = accept(listener, NULL, NULL);
    must(fds[1] >= 0, "accept");
    unblock(fds[1]);
    close(listener);
}

void tcp_shrink(int fd)
{
    int size = 65536; /* smaller than a loopback segment would make it crawl */

    must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0, "SO_SNDBUF");
    must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0, "SO_RCVBUF");
}

void tcp_reset(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0, "SO_LINGER");
    close(fd);
}

void send_all(int fd, const void *bytes, size_t len)
{
    must(send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len, "send");
}

long receive_some(int fd, void *bytes, size_t size)
{
    ssize_t n = recv(fd, bytes, size, 0);

    if (n >= 0)
        return n;
    if (errno == ECONNRESET || errno == EPIPE)
        return -2;
    must(errno == EAGAIN || errno == EWOULDBLOCK, "recv");
    return -1;
}

size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    must(dir != NULL, "/proc/self/fd");
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}
