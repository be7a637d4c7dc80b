/*
 * Loads the configuration anew beside everything else, and puts it in force or leaves the old one
 * there. Never two loads at once; whoever asks during one gets another one behind it, because
 * nobody knows which files the first has read already.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "run/doors.h"
#include "run/errand.h"
#include "run/generation.h"
#include "run/watch.h"
#include "waypost/base/list.h"

struct supervisor;

/* How the last load ended. */
struct reload_report {
    bool successful;           /* the files as they were then are in force */
    uint64_t tries;            /* loads so far, without the one at the start */
    uint64_t at;               /* when it ended, or the start: Unix time in seconds, for people */
    struct conf_errors errors; /* owned; all that was wrong */
};

/* Somebody who waits for the outcome. */
struct reload_waiter {
    struct list node;
    /* Called once on the supervisor's loop, with a report that is valid during the call; NULL: the
     * proxy is leaving, and nothing is loaded any more. */
    void (*done)(struct reload_waiter *, const struct reload_report *);
};

struct reloader {
    uv_work_t work;
    bool loading;              /* from the work to the last worker's swap */
    struct generation *loaded; /* one reference; the pool's thread fills these three */
    struct conf_errors errors;
    struct conf_files files; /* owned; what it reads */
    struct errand swap;
    /* One reference to the generation before, until all workers have changed: a million users are
     * freed here rather than between two reads of somebody's mail. */
    struct generation *last;
    struct doors_plan *plans; /* owned; one for each worker */
    uint64_t begun;           /* uv_hrtime */
    bool again;               /* somebody asked meanwhile */
    struct list now;          /* of struct reload_waiter: for the load under way */
    struct list next;         /* for the one behind it */
    struct reload_report report;
    struct watch watch; /* over the files of the last load */
};

/* Before the configuration of the start is loaded. */
void reload_init(struct supervisor *s);
/* It is in force; its files are watched if it says so. */
void reload_ready(struct supervisor *s);
/* Opens the log file again, for log rotation, and begins a load or plans one behind that under way.
 * `cause` is for the log: "signal", "control", "watch". `waiter` (NULL: nobody) is the caller's and
 * must stay where it is until `done`, which is never called from here. False, and nothing will
 * happen, when the proxy is leaving. */
bool reload_request(struct supervisor *s, const char *cause, struct reload_waiter *waiter);
/* `done` will not be called; harmless when it was. */
void reload_forget(struct reload_waiter *waiter);
/* The proxy leaves: everybody who waits is told, what is being loaded will be thrown away. */
void reload_stop(struct supervisor *s);
/* Closes all handles; then run the loop until it is empty. */
void reload_close(struct supervisor *s);
void reload_fini(struct supervisor *s);
