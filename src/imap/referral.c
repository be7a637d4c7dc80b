/*
 * Reader of login referrals (RFC 2221 section 4; URL syntax RFC 5092 section 11 and RFC 3986). Owns
 * nothing, keeps nothing, resolves nothing. What it yields comes from a backend and is as
 * trustworthy as that; it is well formed, no more.
 */
#include "waypost/imap/referral.h"

#include "waypost/base/addr.h"
#include "waypost/base/str.h"

/* --- characters ------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* `achar` of RFC 5092 without percent-encoding, which is not for here. */
static bool is_achar(char c)
{
    return is_letter(c) || is_digit(c) || is_one_of(c, "-._~!$'()*+,&=");
}

static bool hex_value(char c, unsigned *out)
{
    static const char digits[] = "0123456789abcdef";
    const char *hit = c == '\0' ? NULL : strchr(digits, ascii_lower(c));

    if (hit == NULL)
        return false;
    *out = (unsigned)(hit - digits);
    return true;
}

/* Takes one character, plain or percent-encoded, off the front of *text. `also` lists plain ones
 * that are legal besides `achar`. */
static bool take_char(struct slice *text, const char *also, char *out)
{
    unsigned high, low;
    char c = text->ptr[0];

    if (c != '%') {
        *text = slice_skip(*text, 1);
        *out = c;
        return is_achar(c) || is_one_of(c, also);
    }
    if (text->len < 3 || !hex_value(text->ptr[1], &high) || !hex_value(text->ptr[2], &low))
        return false;
    *text = slice_skip(*text, 3);
    *out = (char)(unsigned char)(high << 4 | low);
    return true;
}

/* --- before the `@` --------------------------------------------------------------------------- */

static bool decode(struct slice text, const char *also, struct str *out)
{
    char c;

    while (text.len > 0) {
        if (!take_char(&text, also, &c))
            return false;
        str_addc(out, c);
    }
    return !out->overflow && out->len > 0;
}

/* Dovecot writes the name as it is, with its `@`: what stands behind the last one is the host. */
static bool read_user(struct slice text, struct referral *out)
{
    struct str user = STR_ON(out->user);

    return decode(text, "@", &user) && slice_is_text(str_slice(&user));
}

/* A literal "*" means any mechanism; an encoded one would be a name, and no legal one. */
static bool read_mechanism(struct slice text, struct referral *out)
{
    struct str name = STR_ON(out->mechanism);

    if (slice_eq(text, SLICE("*")))
        return true;
    if (!decode(text, "", &name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_letter(name.data[i]) && !is_digit(name.data[i]) && !is_one_of(name.data[i], "-_"))
            return false;
        if (is_letter(name.data[i]))
            name.data[i] = (char)(name.data[i] & ~0x20);
    }
    return true;
}

static bool read_userinfo(struct slice text, struct referral *out)
{
    const struct slice auth = SLICE(";AUTH=");
    struct slice user = slice_take(text, slice_find(text, ';'));
    struct slice rest = slice_skip(text, user.len);

    if (rest.len > 0 &&
        (!slice_starts_nocase(rest, auth) || !read_mechanism(slice_skip(rest, auth.len), out)))
        return false;
    return (user.len == 0 && rest.len > 0) || read_user(user, out);
}

/* --- behind it -------------------------------------------------------------------------------- */

static bool is_label(struct slice label)
{
    if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_letter(label.ptr[i]) && !is_digit(label.ptr[i]) && !is_one_of(label.ptr[i], "-_"))
            return false;
    }
    return true;
}

/* The last label begins with a letter, as that of every domain does: "0x7f.1" and "2130706433" are
 * addresses to some resolvers. */
static bool is_name(struct slice name)
{
    struct slice label;

    do {
        size_t before = name.len;
        label = slice_cut(&name, '.');
        if (!is_label(label) || before == label.len + 1)
            return false;
    } while (name.len > 0);
    return is_letter(label.ptr[0]);
}

static bool read_address(struct slice text, bool v6, struct referral *out)
{
    char formatted[ADDR_TEXT];
    struct str host = STR_ON(out->host);
    struct addr address;

    if ((slice_find(text, ':') < text.len) != v6 || !addr_parse(text, &address))
        return false;
    str_add(&host, slice_str(addr_format(&address, false, formatted)));
    return true;
}

static bool read_host(struct slice text, struct referral *out)
{
    struct str host = STR_ON(out->host);

    if (text.len > 0 && text.ptr[0] == '[')
        return text.ptr[text.len - 1] == ']' &&
               read_address(slice_of(text.ptr + 1, text.len - 2), true, out);
    if (read_address(text, false, out))
        return true;
    if (!is_name(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        str_addc(&host, ascii_lower(text.ptr[i]));
    return !host.overflow;
}

static bool read_port(struct slice text, struct referral *out)
{
    unsigned long port;

    if (text.len == 0 || text.ptr[0] == '0' || !slice_number(text, UINT16_MAX, &port))
        return false;
    out->port = (uint16_t)port;
    return true;
}

/* Position of the last `c`, or text.len. */
static size_t find_last(struct slice text, char c)
{
    const char *hit = text.len == 0 ? NULL : memrchr(text.ptr, c, text.len);
    return hit == NULL ? text.len : (size_t)(hit - text.ptr);
}

/* `[userinfo@]host[:port]`. A colon inside brackets belongs to an address. */
static bool read_authority(struct slice text, struct referral *out)
{
    size_t at = find_last(text, '@');
    struct slice server = at < text.len ? slice_skip(text, at + 1) : text;
    size_t bracket = slice_find(server, ']');
    size_t from = bracket < server.len ? bracket : 0;
    size_t colon = from + slice_find(slice_skip(server, from), ':');

    if (at < text.len && !read_userinfo(slice_take(text, at), out))
        return false;
    if (colon < server.len && !read_port(slice_skip(server, colon + 1), out))
        return false;
    return read_host(slice_take(server, colon), out);
}

static bool path_legal(struct slice path)
{
    char c;

    while (path.len > 0) {
        if (!take_char(&path, ":@/?;", &c))
            return false;
    }
    return true;
}

bool referral_parse(struct slice code, struct referral *out)
{
    const struct slice begin = SLICE("REFERRAL imap://");
    struct slice url = slice_skip(code, begin.len);
    size_t slash = slice_find(url, '/');
    struct referral found = {.port = 0};

    if (!slice_starts_nocase(code, begin) || !path_legal(slice_skip(url, slash)) ||
        !read_authority(slice_take(url, slash), &found))
        return false;
    *out = found;
    return true;
}
