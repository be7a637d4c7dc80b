/*
 * User names as the routing table sees them, and the templates for the name given to a backend.
 * Both the table's keys and every query pass through username_normalize, so they compare as bytes.
 */
#pragma once

#include "waypost/base/limits.h"
#include "waypost/base/str.h"
#include "waypost/conf/conf.h"

/* Applies `normalize` of the routing table. `out` is a builder over at least LIMIT_USER + 1 bytes.
 * False, with `out` of no use, for names that are empty, begin or end with "@", hold a control
 * character or are longer than LIMIT_USER afterwards. */
MUST_USE
bool username_normalize(const struct conf_normalize *normalize, struct slice name, struct str *out);
/* Behind the last "@"; empty if there is none. */
struct slice username_domain(struct slice user);

/* Appends `template` with {user}, {local} and {domain} replaced by the parts of a normalised name.
 * False when a brace means anything else, when {domain} is wanted of a name without one, and when
 * the result is empty or does not fit. */
MUST_USE
bool username_expand(struct slice template, struct slice user, struct str *out);
/* Whether every brace of a template belongs to a known placeholder. */
bool username_template_legal(struct slice template);
