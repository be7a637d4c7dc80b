/*
 * What concerns the process as a whole, before and beside its loops: limits, privileges, core
 * dumps, and telling the service manager. Each function that can fail explains itself in `why`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "waypost/base/check.h"
#include "waypost/base/str.h"

/* No core dump, no debugger of the same user (a dump would hold passwords); SIGPIPE is ignored.
 * Call again after a change of user, which the kernel answers by resetting some of it. */
void process_harden(void);
/* Large blocks are mappings of their own, and the system's again when they are freed. Otherwise
 * each thread that has ever loaded a users file, or freed one, keeps room for the next. Before the
 * first of them. */
void process_return_memory(void);
/* Makes room for `need` open descriptors, or for as many as the hard limit allows; that number. */
uint64_t process_raise_descriptors(uint64_t need);
/* Becomes user and group (NULL: stay) with the user's supplementary groups, and makes sure that
 * there is no way back to root. */
MUST_USE
bool process_become(const char *user, const char *group, struct str *why);
/* Sends `state` (lines of sd_notify(3)) to $NOTIFY_SOCKET, if there is one. */
void process_notify(const char *state);
