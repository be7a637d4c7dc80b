/*
 * What the table says of a backend to which a user may be sent, for people and as JSON.
 */
#pragma once

#include "cli/json.h"
#include "cli/standing.h"
#include "waypost/base/str.h"
#include "waypost/conf/conf.h"

/* host:port, with brackets where they are needed. */
void candidate_address(const struct conf_backend *b, struct str *out);
void candidate_print(const struct conf_backend *b);
/* `s` may be NULL. */
void candidate_json(const struct conf_backend *b, const struct standing *s, struct json_out *out);
