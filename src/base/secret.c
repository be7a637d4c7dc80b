/*
 * Owner of credential bytes. Wipes before it frees; never prints, never compares.
 */
#include "waypost/base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "waypost/base/limits.h"

bool secret_make(struct secret *s, size_t len)
{
    secret_clear(s);
    if (len > LIMIT_SECRET)
        return false;
    if (len == 0)
        return true;
    s->data = calloc(1, len);
    if (s->data == NULL)
        return false;
    s->len = len;
    return true;
}

bool secret_set(struct secret *s, struct slice bytes)
{
    struct secret fresh = SECRET_EMPTY;
    bool made = secret_make(&fresh, bytes.len);

    if (fresh.len > 0)
        memcpy(fresh.data, bytes.ptr, fresh.len);
    secret_move(s, &fresh);
    return made;
}

void secret_clear(struct secret *s)
{
    if (s->data != NULL) {
        explicit_bzero(s->data, s->len);
        free(s->data);
    }
    *s = SECRET_EMPTY;
}

struct slice secret_reveal(const struct secret *s)
{
    return slice_of(s->data, s->len);
}

void secret_move(struct secret *to, struct secret *from)
{
    REQUIRE(to != from);
    secret_clear(to);
    *to = *from;
    *from = SECRET_EMPTY;
}
