/*
 * Commands to a running proxy: one request over the control socket, and its answer for people or,
 * with --json, as it came.
 */
#pragma once

#include "cli/args.h"
#include "waypost/admin/ask.h"

struct live {
    const char *command; /* of the request */
    /* For people: before the first item, for each, and instead of the last line. May be NULL. */
    void (*begin)(void);
    void (*item)(void *ctx, const struct ask *ask);
    void (*done)(void *ctx, const struct ask *ask);
    void *ctx; /* borrowed */
};

/* Connects. NULL with an exit status, said on standard error what is wrong. */
MUST_USE
struct ask *live_open(const struct args *args, int *status);
/* One request on an open connection; an exit status. */
int live_ask(struct ask *ask, const struct live *live, const struct args *args,
             const struct ask_member *members, size_t count);
/* Connects for one request; an exit status. */
int live_run(const struct live *live, const struct args *args, const struct ask_member *members,
             size_t count);

/* A cell of a table: text that may hold anything, in at least `width` columns and two spaces. */
void cell_text(const char *text, unsigned width);
void cell_num(uint64_t n, unsigned width);
/* Such as "3d4h", "5m12s", "0s". */
void live_add_time(struct str *out, uint64_t ms);
void cell_time(uint64_t ms, unsigned width);
/* Such as "1.4M". */
void cell_size(uint64_t bytes, unsigned width);
