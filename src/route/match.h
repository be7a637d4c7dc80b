/*
 * The conditions of a rule.
 */
#pragma once

#include "waypost/base/str.h"
#include "waypost/conf/pattern.h"
#include "waypost/route/route.h"

enum match_result {
    MATCH_NO,
    MATCH_YES,
    MATCH_BAD_USER,   /* a pattern cannot say anything about this name */
    MATCH_UNAVAILABLE /* a pattern reached its limits: neither yes nor no */
};

/* Whether all conditions hold, with the reasons, up to the first that does not, appended to `why`.
 * `user` is normalised and NUL-terminated; `groups` is set when there is a pattern and it matched.
 */
MUST_USE
enum match_result match_conditions(const struct conf_rule *rule, const struct route_query *query,
                                   struct slice user, struct pattern_match *groups,
                                   struct str *why);
/* Names come from clients as well: only what is printable ASCII is repeated. */
void match_add_foreign(struct str *why, struct slice text);
