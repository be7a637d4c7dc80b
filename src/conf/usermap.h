/*
 * Building a table of users; the public half is waypost/conf/usermap.h.
 */
#pragma once

#include "conf/key.h"
#include "waypost/conf/usermap.h"

/* `targets` is borrowed and outlives the map; `source` is copied, NULL for inline users. */
struct conf_usermap *usermap_new(const struct conf_target *targets, uint64_t seed,
                                 const char *source);
void usermap_free(struct conf_usermap **map);
enum strmap_result usermap_add(struct conf_usermap *map, struct slice user, struct slice login_as,
                               const struct conf_target *target);
void usermap_trim(struct conf_usermap *map);

/* Reads a users file into `map`. A file that cannot be read is a finding at `at`; what is wrong in
 * a line is a finding about that line. */
void usersfile_read(struct reader *r, const struct place *at, const char *path,
                    struct conf_usermap *map);

/* What a rule may name, or NULL. The first call lists the backends, which must have been read. */
const struct conf_target *target_find(struct reader *r, struct slice name);
/* Appends the finding that there is no such target, with the nearest name. */
void target_missing(struct reader *r, struct slice name, struct str *out);
