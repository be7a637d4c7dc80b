/*
 * SASL. The first byte chooses a mechanism, the lines that follow are base64 responses. Success
 * yields legal names and a password; failure leaves no credential behind; what base64 accepts, it
 * would have written itself.
 */
#include <stdint.h>

#include "waypost/base/limits.h"
#include "waypost/sasl/base64.h"
#include "waypost/sasl/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const bool all[CONF_MECH_COUNT] = {[CONF_MECH_PLAIN] = true, [CONF_MECH_LOGIN] = true};
static char storage[2 * LIMIT_SECRET];

static void check_canonical(struct slice text, const struct secret *value)
{
    struct str out = STR_ON(storage);

    base64_encode(secret_reveal(value), &out);
    ENSURE(slice_eq(str_slice(&out), text));
}

static bool is_empty(const struct credentials *c)
{
    return c->authcid.data == NULL && c->authzid.data == NULL && c->password.data == NULL;
}

/* What one mechanism yields can be said in a PLAIN message, and means the same there. */
static void check_done(const struct credentials *c)
{
    struct slice authcid = secret_reveal(&c->authcid), authzid = secret_reveal(&c->authzid);
    struct str out = STR_ON(storage);
    struct sasl again = {.row = sasl_find(SLICE("PLAIN"), all)};
    struct credentials back = {0};
    struct slice challenge;

    ENSURE(credentials_user_legal(authcid));
    ENSURE(authzid.len == 0 || credentials_user_legal(authzid));
    ENSURE(!slice_eq(authzid, authcid));
    ENSURE(c->password.len > 0);
    ENSURE(sasl_plain_message(authzid, authcid, secret_reveal(&c->password), &out));
    ENSURE(again.row->respond(&again, str_slice(&out), &back, &challenge) == DONE);
    ENSURE(slice_eq(secret_reveal(&back.authcid), authcid));
    ENSURE(slice_eq(secret_reveal(&back.authzid), authzid));
    ENSURE(slice_eq(secret_reveal(&back.password), secret_reveal(&c->password)));
    credentials_clear(&back);
}

static enum result respond(struct sasl *s, struct slice text, struct credentials *c)
{
    struct secret response = SECRET_EMPTY;
    struct slice challenge = {NULL, 0};
    enum result result;

    if (!base64_decode(text, &response)) {
        ENSURE(response.data == NULL);
        return BAD;
    }
    check_canonical(text, &response);
    result = s->row->respond(s, secret_reveal(&response), c, &challenge);
    secret_clear(&response);
    ENSURE(result == DONE || result == BAD || result == CONTINUE);
    ENSURE(result != BAD || is_empty(c));
    ENSURE(result != CONTINUE || challenge.len > 0);
    if (result == DONE)
        check_done(c);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct credentials c = {0};
    struct sasl s = {0};

    if (size == 0)
        return 0;
    s.row = sasl_find(*rest.ptr == 'L' ? SLICE("LOGIN") : SLICE("PLAIN"), all);
    rest = slice_skip(rest, 1);
    while (rest.len > 0 && respond(&s, slice_cut(&rest, '\n'), &c) == CONTINUE)
        continue;
    credentials_clear(&c);
    return 0;
}
