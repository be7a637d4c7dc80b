/*
 * Where everything in a JSON text is: a map from JSON pointer to line. The text must already have
 * been accepted by the JSON parser, which keeps no positions and, of duplicate keys, the last one.
 */
#pragma once

#include "conf/strmap.h"

struct positions {
    struct strmap lines;
};

/* Told of each member whose key stood before in the same object. */
typedef void positions_duplicate(void *ctx, struct slice pointer, unsigned line, unsigned first);

/* Lines count from 1. Pointers longer than LIMIT_POINTER are not recorded. */
void positions_init(struct positions *p, struct slice text, positions_duplicate *duplicate,
                    void *ctx);
void positions_fini(struct positions *p);
/* Line of the key (or array element) the pointer leads to, else of its nearest ancestor. */
unsigned positions_line(const struct positions *p, struct slice pointer);
