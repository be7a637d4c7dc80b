/*
 * Asking a running proxy over its control socket, from a program that has nothing else to do: every
 * call waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waypost/base/check.h"
#include "waypost/base/str.h"

struct ask;

/* A member of a request: text, a number, or true. */
struct ask_member {
    const char *name;
    const char *text;       /* NULL: not this one */
    const uint64_t *number; /* NULL: nor this one */
};

/* Connects. NULL with the reason when nobody listens there; otherwise ask_close is owed. */
MUST_USE
struct ask *ask_open(const char *path, struct str *why);
void ask_close(struct ask **ask);
/* One request. False when the proxy has gone. */
MUST_USE
bool ask_send(struct ask *ask, const char *command, const struct ask_member *members, size_t count);
/* The next line of the answer. False when the proxy has gone, or says nothing for minutes. */
MUST_USE
bool ask_next(struct ask *ask);

/* Of the line at hand; borrowed until the next one. */
const char *ask_line(const struct ask *ask);
/* It is the last one: `done`, or an error. */
bool ask_last(const struct ask *ask);
/* NULL: null, no text, or not there. */
const char *ask_text(const struct ask *ask, const char *name);
/* 0: not there. */
uint64_t ask_num(const struct ask *ask, const char *name);
bool ask_true(const struct ask *ask, const char *name);
