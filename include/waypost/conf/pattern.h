/*
 * Patterns over user names: PCRE2 (pcre2pattern(3)), in UTF-8, always matched against the whole
 * name. Interpreted, never compiled to machine code: the limits then mean the same on every
 * machine, and the process needs no memory that is both writable and executable.
 */
#pragma once

#include "waypost/base/check.h"
#include "waypost/base/slice.h"
#include "waypost/base/str.h"

#define PATTERN_GROUPS 32u /* capturing groups, the whole match included */

struct conf_pattern;

enum pattern_result {
    PATTERN_MATCHED,
    PATTERN_DIFFERS,
    PATTERN_NOT_UTF8, /* the text is not UTF-8, so the pattern says nothing about it */
    PATTERN_GAVE_UP   /* a limit on steps or memory was reached: neither match nor difference */
};

/* A match: for each group what it took of the text, borrowed from the text; empty for a group that
 * took no part. */
struct pattern_match {
    struct slice groups[PATTERN_GROUPS];
};

/* If `text` is no pattern, says in `problem` what is wrong and where; what is returned then has
 * every group, so that no other finding follows from this one, and must not be matched. */
struct conf_pattern *pattern_new(struct slice text, struct str *problem);
void pattern_free(struct conf_pattern **pattern);

/* *out is set only by PATTERN_MATCHED. Any number of threads may match at a time. */
MUST_USE
enum pattern_result pattern_match(const struct conf_pattern *pattern, struct slice text,
                                  struct pattern_match *out);
/* The number of the group called `name`, which is "1" to "9" or the name of a named group. */
MUST_USE
bool pattern_group(const struct conf_pattern *pattern, struct slice name, size_t *number);
