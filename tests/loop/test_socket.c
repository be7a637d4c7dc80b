/*
 * What is asked of the kernel about a socket that connects.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "support/sockets.h"
#include "waypost/net/socket.h"

TestSuite(socket);

/* Else as many connections as there are ports, to all backends together, would be the end. */
Test(socket, t87_the_port_is_not_chosen_before_the_far_end_is_known)
{
    struct addr from, to, near;
    int listener, fd, late = 0;
    socklen_t len = sizeof(late);

    cr_assert(addr_parse(SLICE("127.0.0.2"), &from) && addr_parse(SLICE("127.0.0.1"), &to));
    listener = tcp_listen(1, &to.port);
    cr_assert_eq(socket_connect(&from, &to, &fd), 0);
    near = socket_local(fd);
    cr_expect_arr_eq(near.ip, from.ip, sizeof(near.ip));
    cr_expect_eq(getsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, &len), 0);
    cr_expect_eq(late, 1);
    close(fd);
    close(listener);
}

Test(socket, an_address_that_is_not_ours_leaves_nothing_behind)
{
    size_t descriptors = open_descriptors();
    struct addr from, to;
    int fd = -1;

    cr_assert(addr_parse(SLICE("192.0.2.1"), &from) && addr_parse(SLICE("127.0.0.1"), &to));
    to.port = 9;
    cr_expect_eq(socket_connect(&from, &to, &fd), EADDRNOTAVAIL);
    cr_expect_eq(fd, -1);
    cr_expect_eq(open_descriptors(), descriptors);
}
