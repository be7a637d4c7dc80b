/*
 * What the parts of a probe's dialogue share. See probe.c.
 */
#pragma once

#include "waypost/probe/probe.h"

/* Each ends the probe: down, and true. `said` is the backend's own text, or empty. */
bool probe_fail(struct probe *p, const char *why);
bool probe_down(struct probe *p, const char *why, struct slice said);
/* The backend is well: it is told goodbye, and the probe ends. */
void probe_succeed(struct probe *p);

/* Sends, or ends the probe. */
void probe_say(struct probe *p, struct slice text);
/* True when something happened: a whole reply is in p->reply, or the probe has ended. */
bool probe_hear(struct probe *p);
/* Drops that reply. */
void probe_heard(struct probe *p);
/* It is the tagged reply to this command. */
bool probe_answers(const struct probe *p, struct slice tag);

/* Begins to log in as the backend's probe_user, by what p->caps offers. */
void probe_login(struct probe *p);
/* True when it moved. */
bool probe_login_step(struct probe *p);
