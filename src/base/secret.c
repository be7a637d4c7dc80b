/*
 * Owner of credential bytes. Wipes before it frees; never prints, never compares.
 */
#include "waypost/base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "waypost/base/limits.h"

bool secret_set(struct secret *s, struct slice bytes)
{
    char *copy = NULL;

    secret_clear(s);
    if (bytes.len > LIMIT_SECRET)
        return false;
    if (bytes.len == 0)
        return true;
    copy = malloc(bytes.len);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes.ptr, bytes.len);
    s->data = copy;
    s->len = bytes.len;
    return true;
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
    secret_clear(to);
    *to = *from;
    *from = SECRET_EMPTY;
}
