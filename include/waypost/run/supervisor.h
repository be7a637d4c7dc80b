/*
 * The running proxy: what `waypost run` does.
 */
#pragma once

/* Exit codes: sysexits(3) has the third. */
enum { SUPERVISOR_CLEAN = 0, SUPERVISOR_CONFIG = 1, SUPERVISOR_INTERNAL = 70 };

/* Runs until SIGTERM or SIGINT, then drains: BYE to everybody, at most timeouts.drain; a second
 * signal ends at once. SIGHUP loads the configuration anew and opens the log file again. Before the
 * first connection all findings go to standard error, and the result is SUPERVISOR_CONFIG.
 * Certificates, keys and routing tables must be readable by the run user, because a reload reads
 * them as that user. May be called once in a process. */
int supervisor_run(const char *conf_path);
