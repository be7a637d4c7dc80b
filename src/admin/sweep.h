/*
 * A request about sessions of all workers: goes round them in pieces, so that no loop stands still
 * for long, and never faster than its client takes the answers.
 */
#pragma once

#include "admin/client.h"
#include "admin/filter.h"

struct sweep;

/* What one worker contributes; touched on its thread during a visit, on the supervisor's else. */
struct sweep_part {
    uint64_t cursor; /* for conns_some */
    bool more;
    bool failed; /* out of memory */
    char *lines; /* owned; found in this round */
    size_t len, room;
    uint64_t found; /* in all rounds */
};

/* On a worker's thread, for a connection that the filter admits. False: it does not count. */
typedef bool sweep_visit(struct sweep_part *part, struct conn *c, const struct conn_view *view);

/* Answers with the lines of all parts and then {`total`: how many were found}. One that `acts` goes
 * on to its end also when its client leaves. */
void sweep_begin(struct control_client *client, const struct filter *filter, sweep_visit *visit,
                 const char *total, bool acts);
/* Adds a line; takes the reference. Out of memory the sweep fails. */
void sweep_add(struct sweep_part *part, json_t *object);
