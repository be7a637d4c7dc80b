/*
 * User names as the routing table sees them, and the templates for the name given to a backend.
 * Both the table's keys and every query pass through username_normalize, so they compare as bytes.
 */
#pragma once

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/conf/conf.h"
#include "waypost/conf/pattern.h"

/* Applies `normalize` of the routing table. `out` is a builder over at least LIMIT_USER + 1 bytes.
 * False, with `out` of no use, for names that are empty, begin or end with "@", hold a control
 * character or are longer than LIMIT_USER afterwards. */
MUST_USE
bool username_normalize(const struct conf_normalize *normalize, struct slice name, struct str *out);
/* Behind the last "@"; empty if there is none. */
struct slice username_domain(struct slice user);

/* What a template is filled from: a normalised name, and what a pattern has made of it. */
struct username_parts {
    struct slice user;
    const struct conf_pattern *pattern; /* NULL: none */
    const struct pattern_match *match;
};

/* Appends `template` with {user}, {local} and {domain} replaced by the parts of the name, {1} to
 * {9} and {NAME} by groups of the pattern. False when a brace means anything else, when a part is
 * empty, such as the {domain} of a name without one, and when the result is empty or does not fit.
 */
MUST_USE
bool username_expand(struct slice template, const struct username_parts *parts, struct str *out);
/* Whether every brace of a template belongs to a known placeholder; `pattern` may be NULL. */
bool username_template_legal(struct slice template, const struct conf_pattern *pattern);
