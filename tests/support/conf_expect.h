/*
 * Tables of configurations and what is found wrong with them, for criterion tests.
 */
#pragma once

#include "support/conf_text.h"

/* What conf_text_load finds, a line "file:line pointer text" each; "" when it loads. Borrowed until
 * the next call. */
const char *conf_text_findings(const char *waypost, const char *routes);

/* Loads `wrap(given)` as waypost.json, or as routes.json beside conf_text_waypost, and expects
 * findings that contain `finding`, or none where that is "". */
struct conf_text_row {
    const char *given, *finding;
};
void conf_text_expect(const struct conf_text_row *rows, size_t count,
                      const char *(*wrap)(const char *), bool as_routes);
