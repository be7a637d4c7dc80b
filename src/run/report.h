/*
 * The counters, as log lines.
 */
#pragma once

#include "run/ledger.h"
#include "waypost/base/log.h"

/* Logs every counter that is not zero, at level info even where `log` is set to less: somebody has
 * asked for it. */
void report(const struct log *log, const struct metrics *metrics, const struct ledger *ledger);
