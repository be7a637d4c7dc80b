/*
 * SASL. The first byte chooses a mechanism, the lines that follow are base64 responses, or, after a
 * small letter, the responses themselves; or what follows is a token to be searched for a user, or
 * its payload. Success yields legal names, and what is replayed at
 * a backend says the same there; failure leaves no credential behind; what base64 accepts, it would
 * have written itself.
 */
#include <stdint.h>

#include "sasl/mechanism.h"
#include "waypost/base/base64.h"
#include "waypost/base/limits.h"
#include "waypost/conf/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const bool all[CONF_MECH_COUNT] = {true, true, true, true, true, true, true};
static_assert(CONF_MECH_COUNT == 7, "all are enabled");

static const struct {
    char letter;
    const char *name;
} mechanisms[] = {
    {'p', "PLAIN"},       {'l', "LOGIN"},         {'x', "XOAUTH2"},  {'o', "OAUTHBEARER"},
    {'1', "SCRAM-SHA-1"}, {'s', "SCRAM-SHA-256"}, {'e', "EXTERNAL"},
};

static char storage[4 * LIMIT_SECRET];

static void check_canonical(struct slice text, const struct secret *value)
{
    struct str out = STR_ON(storage);

    base64_encode(secret_reveal(value), &out);
    ENSURE(slice_eq(str_slice(&out), text));
}

static bool is_empty(const struct credentials *c)
{
    return c->authcid.data == NULL && c->authzid.data == NULL && c->password.data == NULL &&
           c->message.data == NULL;
}

static bool same(const struct secret *a, const struct secret *b)
{
    return slice_eq(secret_reveal(a), secret_reveal(b));
}

/* Gives a message of ours to the mechanism it was made for: it says what `c` says. */
static void check_reads_back(const char *name, const struct str *message,
                             const struct credentials *c)
{
    struct sasl again = {.row = sasl_find(slice_str(name), all)};
    struct credentials back = {0};
    struct slice challenge;

    ENSURE(again.row->respond(&again, str_slice(message), &back, &challenge) == DONE);
    ENSURE(same(&back.authcid, &c->authcid));
    ENSURE(same(&back.authzid, &c->authzid));
    ENSURE(same(&back.password, &c->password));
    credentials_clear(&back);
}

static void check_password(const struct credentials *c)
{
    struct str out = STR_ON(storage);

    ENSURE(c->password.len > 0 && c->message.data == NULL);
    ENSURE(sasl_plain_message(secret_reveal(&c->authzid), secret_reveal(&c->authcid),
                              secret_reveal(&c->password), &out));
    check_reads_back("PLAIN", &out, c);
}

/* Either mechanism can say what the other said; only OAUTHBEARER may name nobody. */
static void check_token(const struct credentials *c)
{
    struct slice user = secret_reveal(&c->authcid), token = secret_reveal(&c->password);
    struct str bearer = STR_ON(storage);

    ENSURE(c->authzid.data == NULL);
    ENSURE(sasl_oauth_message(CONF_MECH_OAUTHBEARER, user, token, &bearer));
    check_reads_back("OAUTHBEARER", &bearer, c);
    struct str xoauth2 = STR_ON(storage);
    bool named = sasl_oauth_message(CONF_MECH_XOAUTH2, user, token, &xoauth2);
    ENSURE(named == (user.len > 0) && (named || c->mechanism == CONF_MECH_OAUTHBEARER));
    if (named)
        check_reads_back("XOAUTH2", &xoauth2, c);
}

/* The name that was found is the one in the message, spelt as there. */
static void check_relayed(const struct credentials *c)
{
    struct str out = STR_ON(storage);

    str_add(&out, SLICE(",n="));
    gs2_escape(secret_reveal(&c->authcid), &out);
    str_add(&out, SLICE(",r="));
    ENSURE(c->password.data == NULL && c->authcid.len > 0);
    ENSURE(memmem(c->message.data, c->message.len, out.data, out.len) != NULL);
}

static void check_done(const struct credentials *c, struct slice response)
{
    struct slice authcid = secret_reveal(&c->authcid), authzid = secret_reveal(&c->authzid);

    ENSURE(authcid.len == 0 || credentials_user_legal(authcid));
    ENSURE(authzid.len == 0 || credentials_user_legal(authzid));
    ENSURE(authzid.len == 0 || !slice_eq(authzid, authcid));
    ENSURE(c->message.len == 0 || slice_eq(secret_reveal(&c->message), response));
    switch (c->kind) {
    case CREDENTIAL_PASSWORD:
        check_password(c);
        break;
    case CREDENTIAL_TOKEN:
        check_token(c);
        break;
    case CREDENTIAL_RELAYED:
        check_relayed(c);
        break;
    case CREDENTIAL_CERTIFICATE:
        ENSURE(authcid.len == 0 && c->password.data == NULL && slice_eq(authzid, response));
        break;
    }
}

static enum result respond(struct sasl *s, const struct secret *response, struct credentials *c)
{
    struct slice challenge = {NULL, 0};
    enum result result = s->row->respond(s, secret_reveal(response), c, &challenge);

    ENSURE(result == DONE || result == BAD || result == CONTINUE);
    ENSURE(result != BAD || is_empty(c));
    ENSURE(result != CONTINUE || challenge.len > 0);
    ENSURE(result != DONE || c->mechanism == s->row->mechanism);
    if (result == DONE)
        check_done(c, secret_reveal(response));
    return result;
}

static void exchange(struct sasl *s, bool coded, struct slice rest)
{
    struct credentials c = {0};
    enum result result = CONTINUE;

    while (rest.len > 0 && result == CONTINUE) {
        struct secret response = SECRET_EMPTY;
        struct slice line = slice_cut(&rest, '\n');
        bool good = coded ? base64_decode(line, &response) : secret_set(&response, line);
        ENSURE(good || response.data == NULL);
        if (good && coded)
            check_canonical(line, &response);
        result = good ? respond(s, &response, &c) : BAD;
        secret_clear(&response);
    }
    credentials_clear(&c);
}

static void search(bool coded, struct slice text)
{
    struct secret user = SECRET_EMPTY;
    bool found = coded ? sasl_token_claim(text, "sub", &user) : claim_read(text, "sub", &user);

    ENSURE(found || user.data == NULL);
    ENSURE(!found || !coded || credentials_user_legal(secret_reveal(&user)));
    secret_clear(&user);
}

static const struct sasl_row *row_for(char letter)
{
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
        if (mechanisms[i].letter == ascii_lower(letter))
            return sasl_find(slice_str(mechanisms[i].name), all);
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size), rest = slice_skip(input, 1);

    if (size == 0)
        return 0;
    struct sasl s = {.row = row_for(*input.ptr)};
    bool coded = *input.ptr < 'a';
    if (s.row != NULL)
        exchange(&s, coded, rest);
    else
        search(coded, rest);
    return 0;
}
