/*
 * Tries mechanisms. Owns nothing; the caller clears the credentials.
 */
#include "support/sasl_try.h"

#include <criterion/criterion.h>

const bool sasl_all[CONF_MECH_COUNT] = {true, true, true, true, true, true, true};
static_assert(CONF_MECH_COUNT == 7, "all are enabled");

struct sasl sasl_begin(const char *mechanism)
{
    struct sasl s = {.row = sasl_find(slice_str(mechanism), sasl_all)};

    cr_assert_not_null(s.row, "%s", mechanism);
    return s;
}

bool sasl_is_empty(const struct credentials *c)
{
    return c->authcid.data == NULL && c->authzid.data == NULL && c->password.data == NULL &&
           c->message.data == NULL && c->kind == CREDENTIAL_PASSWORD &&
           c->mechanism == CONF_MECH_PLAIN;
}

enum result sasl_try(const char *mechanism, struct slice message, struct credentials *c)
{
    struct sasl s = sasl_begin(mechanism);
    struct slice challenge = SLICE("untouched");
    enum result result = s.row->respond(&s, message, c, &challenge);

    if (result == BAD)
        cr_expect(sasl_is_empty(c), "%s left something", mechanism);
    if (result == DONE)
        cr_expect_eq(c->mechanism, s.row->mechanism, "%s", mechanism);
    return result;
}

bool sasl_holds(const struct secret *s, const char *text)
{
    return slice_eq(secret_reveal(s), slice_str(text));
}
