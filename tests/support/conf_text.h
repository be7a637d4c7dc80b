/*
 * Configurations from memory: a handful of named texts in place of the disk.
 */
#pragma once

#include "waypost/conf/conf.h"

struct conf_text {
    const char *path; /* NULL ends the list */
    struct slice text;
};

/* Both arguments are borrowed by the source. */
struct conf_source conf_text_source(const struct conf_text *files);
/* Loads "waypost.json" and whatever it names. True when it loaded; see conf_load_from. */
MUST_USE
bool conf_text_load(const char *waypost, const char *routes, const char *users, struct conf **out,
                    struct conf_errors *errors);
/* A smallest waypost.json that loads. */
extern const char conf_text_waypost[];
/* A smallest routes.json that loads. */
extern const char conf_text_routes[];
/* A waypost.json with these members in that section, and a routes.json with these of backend "b".
 * Valid until the function is called again. */
const char *conf_text_section(const char *section, const char *members);
const char *conf_text_backend(const char *members);
