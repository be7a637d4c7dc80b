/*
 * Reads durations, sizes, addresses and names. Owns nothing, allocates nothing.
 */
#include "waypost/conf/value.h"

#include <string.h>

#include "waypost/base/addr.h"
#include "waypost/base/base64.h"
#include "waypost/base/limits.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* From large to small. */
static const struct unit durations[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {
    {"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}};

static size_t digits(struct slice text)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    return n;
}

static bool with_unit(struct slice text, const struct unit *units, size_t count, uint64_t max,
                      uint64_t *out)
{
    size_t n = digits(text);
    struct slice name = slice_skip(text, n);
    unsigned long value;

    for (size_t i = 0; i < count; i++) {
        if (!slice_eq(name, slice_str(units[i].name)))
            continue;
        if (!slice_number(slice_take(text, n), max / units[i].factor, &value))
            return false;
        *out = value * units[i].factor;
        return true;
    }
    return false;
}

bool value_duration(struct slice text, uint64_t max, uint64_t *ms)
{
    return with_unit(text, durations, COUNT_OF(durations), max, ms);
}

bool value_size(struct slice text, uint64_t max, uint64_t *bytes)
{
    return with_unit(text, sizes, COUNT_OF(sizes), max, bytes);
}

void value_add_duration(struct str *out, uint64_t ms)
{
    const struct unit *unit = durations;
    if (ms == 0) {
        str_add(out, SLICE("0s"));
        return;
    }
    while (ms % unit->factor != 0)
        unit++;
    str_addf(out, "%llu%s", (unsigned long long)(ms / unit->factor), unit->name);
}

bool value_endpoint(struct slice text, struct slice *host, uint16_t *port)
{
    size_t colon = text.len;
    unsigned long number;

    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0 || !slice_number(slice_skip(text, colon), 65535, &number) || number == 0)
        return false;
    struct slice name = slice_take(text, colon - 1);
    bool brackets = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (brackets)
        name = slice_of(name.ptr + 1, name.len - 2);
    bool v6 = slice_find(name, ':') < name.len;
    if (v6 != brackets || !(value_is_ip(name) || (!v6 && value_is_host_name(name))))
        return false;
    *host = name;
    *port = (uint16_t)number;
    return true;
}

static bool is_alnum(char c)
{
    char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(struct slice label)
{
    if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_alnum(label.ptr[i]) && label.ptr[i] != '-' && label.ptr[i] != '_')
            return false;
    }
    return true;
}

bool value_is_host_name(struct slice text)
{
    struct slice label = {0}, rest = text;

    if (text.len == 0 || text.len > LIMIT_HOST || text.ptr[text.len - 1] == '.')
        return false;
    while (rest.len > 0) {
        label = slice_cut(&rest, '.');
        if (!is_label(label))
            return false;
    }
    return digits(label) < label.len;
}

bool value_is_ip(struct slice text)
{
    struct addr addr;
    return addr_parse(text, &addr);
}

bool value_is_loopback(struct slice host)
{
    static const char *const nets[] = {"127.0.0.0/8", "::1"};
    struct addr addr;
    struct cidr net;

    if (!addr_parse(host, &addr))
        return slice_eq_nocase(host, SLICE("localhost"));
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        if (cidr_parse(slice_str(nets[i]), &net) && cidr_has(&net, &addr))
            return true;
    }
    return false;
}

bool value_is_capability(struct slice text, bool star)
{
    if (star && text.len > 1 && text.ptr[text.len - 1] == '*')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c <= ' ' || c >= 0x7F || memchr("(){%*\"\\[]", c, 9) != NULL)
            return false;
    }
    return text.len > 0 && text.len <= LIMIT_NAME;
}

static bool read_hex(struct slice text, unsigned char out[VALUE_SHA256])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < text.len; i++) {
        const char *digit = memchr(digits, ascii_lower(text.ptr[i]), sizeof(digits) - 1);
        if (digit == NULL)
            return false;
        out[i / 2] = (unsigned char)((unsigned)out[i / 2] << 4 | (unsigned)(digit - digits));
    }
    return true;
}

bool value_sha256(struct slice text, unsigned char out[VALUE_SHA256])
{
    struct secret hash = SECRET_EMPTY;
    bool good;

    if (text.len == (size_t)2 * VALUE_SHA256)
        return read_hex(text, out);
    good = base64_decode(text, &hash) && hash.len == VALUE_SHA256;
    if (good)
        memcpy(out, secret_reveal(&hash).ptr, VALUE_SHA256);
    secret_clear(&hash);
    return good;
}
