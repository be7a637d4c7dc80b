/*
 * The end of a broken contract: one line on standard error, then abort().
 * Owns nothing; prints no variable data, so no secret can leave this way.
 */
#include "waypost/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *kind, const char *cond, const char *file, int line)
{
    fprintf(stderr, "waypost: %s(%s) failed at %s:%d\n", kind, cond, file, line);
    abort();
}
