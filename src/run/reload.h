/*
 * Loads the configuration anew and puts it in force, or leaves the old one there.
 */
#pragma once

#include "run/supervisor_state.h"

/* Either everything changes or nothing does; both are logged. Opens the log file again in any
 * case. */
void reload(struct supervisor *s);
