/*
 * Addresses as text and bytes. Owns nothing, opens nothing, resolves nothing: inet_pton and
 * inet_ntop only translate. Text forms: RFC 4291 section 2.2, printed as RFC 5952 asks.
 */
#include "waypost/base/addr.h"

#include <arpa/inet.h>

#include "waypost/base/str.h"

#define MAPPED_LEN  12u
#define MAPPED_BITS (8u * MAPPED_LEN)

static const unsigned char mapped[MAPPED_LEN] = {[10] = 0xFF, [11] = 0xFF};

bool addr_is_v4(const struct addr *a)
{
    return memcmp(a->ip, mapped, MAPPED_LEN) == 0;
}

struct addr addr_from_bytes(const void *bytes, size_t len, uint16_t port)
{
    struct addr a = {.port = port};

    REQUIRE(len == 4 || len == sizeof a.ip);
    if (len == 4)
        memcpy(a.ip, mapped, MAPPED_LEN);
    memcpy(a.ip + sizeof a.ip - len, bytes, len);
    return a;
}

bool addr_parse(struct slice text, struct addr *out)
{
    char copy[ADDR_TEXT];
    unsigned char ip[16];
    bool v6 = slice_find(text, ':') < text.len;

    /* inet_pton would take a NUL for the end and accept what stands before it. */
    if (text.len >= sizeof copy || slice_find(text, '\0') < text.len)
        return false;
    memcpy(copy, text.len == 0 ? "" : text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, ip) != 1)
        return false;
    *out = addr_from_bytes(ip, v6 ? 16 : 4, 0);
    return true;
}

/* Whether `a` and `b` agree in their first `bits` bits. */
static bool same_prefix(const unsigned char a[16], const unsigned char b[16], unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    if (memcmp(a, b, bytes) != 0)
        return false;
    return rest == 0 || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

static bool host_bits_zero(const struct cidr *net)
{
    for (unsigned bit = net->bits; bit < 128; bit++) {
        if ((net->ip[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return false;
    }
    return true;
}

bool cidr_parse(struct slice text, struct cidr *out)
{
    struct slice digits = text;
    struct slice host = slice_cut(&digits, '/');
    bool v6 = slice_find(host, ':') < host.len;
    unsigned long max = v6 ? 128 : 32, bits = max;
    struct addr a;
    struct cidr net;

    if (!addr_parse(host, &a))
        return false;
    if (host.len < text.len && !slice_number(digits, max, &bits))
        return false;
    memcpy(net.ip, a.ip, sizeof net.ip);
    net.bits = (unsigned)bits + (v6 ? 0 : MAPPED_BITS);
    if (!host_bits_zero(&net))
        return false;
    *out = net;
    return true;
}

bool cidr_has(const struct cidr *net, const struct addr *a)
{
    return same_prefix(net->ip, a->ip, net->bits);
}

const char *addr_format(const struct addr *a, bool with_port, char out[ADDR_TEXT])
{
    bool v4 = addr_is_v4(a);
    char host[INET6_ADDRSTRLEN];
    const unsigned char *ip = v4 ? a->ip + MAPPED_LEN : a->ip;
    struct str text = str_on(out, ADDR_TEXT);

    if (inet_ntop(v4 ? AF_INET : AF_INET6, ip, host, sizeof host) == NULL)
        UNREACHABLE();
    if (!with_port)
        str_add(&text, slice_str(host));
    else
        str_addf(&text, v4 ? "%s:%u" : "[%s]:%u", host, (unsigned)a->port);
    ENSURE(!text.overflow);
    return out;
}
