/*
 * From nothing to workers that accept, in the order that matters: load, log, descriptors, bind,
 * drop privileges, threads.
 */
#pragma once

#include "run/supervisor_state.h"

/* An exit code; what went wrong was written to standard error, and `s` is for supervisor_run to
 * clean up as it is. */
MUST_USE
int startup(struct supervisor *s);
/* Logs and tells the service manager that clients may come. */
void startup_ready(struct supervisor *s);
