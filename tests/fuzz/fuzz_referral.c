/*
 * Login referrals. What is refused leaves nothing behind; what is read is a lower-case host or an
 * address, a legal user and a mechanism, and written again as a URL it reads the same.
 */
#include <stdint.h>

#include "waypost/base/addr.h"
#include "waypost/base/str.h"
#include "waypost/imap/referral.h"
#include "waypost/sasl/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(struct slice host)
{
    struct addr address;

    ENSURE(host.len > 0 && host.len <= LIMIT_HOST);
    if (slice_find(host, ':') < host.len)
        ENSURE(addr_parse(host, &address));
    for (size_t i = 0; i < host.len; i++)
        ENSURE(host.ptr[i] != '\0' &&
               strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.:", host.ptr[i]) != NULL);
}

static void write_again(const struct referral *r, struct str *out)
{
    bool bracket = strchr(r->host, ':') != NULL;

    str_add(out, SLICE("REFERRAL imap://"));
    for (const char *c = r->user; *c != '\0'; c++)
        str_addf(out, "%%%02X", (unsigned)(unsigned char)*c);
    if (r->mechanism[0] != '\0')
        str_addf(out, ";AUTH=%s", r->mechanism);
    if (r->user[0] != '\0' || r->mechanism[0] != '\0')
        str_addc(out, '@');
    str_addf(out, bracket ? "[%s]" : "%s", r->host);
    if (r->port != 0)
        str_addf(out, ":%u", (unsigned)r->port);
    ENSURE(!out->overflow);
}

static void check_same(const struct referral *a, const struct referral *b)
{
    ENSURE(strcmp(a->host, b->host) == 0 && a->port == b->port);
    ENSURE(strcmp(a->user, b->user) == 0 && strcmp(a->mechanism, b->mechanism) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char storage[2048];
    struct str text = STR_ON(storage);
    struct slice code = slice_of(data, size);
    struct referral r = {.host = "untouched"}, again = {.port = 0};

    if (!referral_parse(code, &r)) {
        ENSURE(strcmp(r.host, "untouched") == 0);
        return 0;
    }
    check_host(slice_str(r.host));
    ENSURE(r.user[0] == '\0' || credentials_user_legal(slice_str(r.user)));
    ENSURE(strlen(r.mechanism) <= REFERRAL_MECHANISM);
    ENSURE(slice_find(slice_skip(code, sizeof "REFERRAL"), ' ') == code.len - sizeof "REFERRAL");
    write_again(&r, &text);
    ENSURE(referral_parse(str_slice(&text), &again));
    check_same(&r, &again);
    return 0;
}
